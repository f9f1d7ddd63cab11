/* Prints what every session does, as it happens. Begins with what is known already; survives a restart of the broker. */
#include <agentbus.h>
#include <poll.h>
#include <stdio.h>

static void
print_session(const struct agentbus_session *s)
{
	printf("%-12s %.8s  %-9s  %s  %s\n", s->provider, s->id, agentbus_state_name(s->state), s->model, s->project);
}

static void
print_event(struct agentbus *bus, const struct agentbus_event *e)
{
	if (e->kind == AGENTBUS_CONNECTED || e->kind == AGENTBUS_RESET) /* look at all sessions afresh */
		for (size_t i = 0; i < agentbus_session_count(bus); i++)
			print_session(agentbus_session_at(bus, i));
	else if (e->kind == AGENTBUS_STATE_CHANGED)
		print_session(e->session);
	else if (e->kind == AGENTBUS_GAP || e->kind == AGENTBUS_DISCONNECTED)
		printf("-- %s\n", agentbus_kind_name(e->kind));
	fflush(stdout);
}

int
main(void)
{
	struct agentbus *bus;
	const struct agentbus_event *e;
	int r = agentbus_open(NULL, &bus);

	while (r >= 0 && poll(&(struct pollfd){ .fd = agentbus_fd(bus), .events = POLLIN }, 1, -1) > 0)
		while ((r = agentbus_next(bus, &e)) > 0)
			print_event(bus, e);
	fprintf(stderr, "watch: %s\n", agentbus_strerror(r));
	return 1;
}
