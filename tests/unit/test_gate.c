#include "gate.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VISITS_MAX 16

static const struct log silent = { .level = LEVEL_ERROR };

/* What was handed over, and to whom. */
static struct {
	struct ev_loop *loop;
	struct clock clock;
	struct limits limits;
	struct refusals refusals;
	struct gate gate;
	int listener;
	struct sockaddr_in to;
	struct peer http[VISITS_MAX], grpc[VISITS_MAX];
	int fds[VISITS_MAX];
	size_t http_count, grpc_count, fd_count;
} t;

static void
take_http(void *ctx, int fd, const struct peer *peer)
{
	(void)ctx;
	cr_assert_lt(t.http_count, VISITS_MAX);
	t.http[t.http_count++] = *peer;
	t.fds[t.fd_count++] = fd;
}

static void
take_grpc(void *ctx, int fd, const struct peer *peer)
{
	(void)ctx;
	cr_assert_lt(t.grpc_count, VISITS_MAX);
	t.grpc[t.grpc_count++] = *peer;
	t.fds[t.fd_count++] = fd;
}

static void
setup(void)
{
	socklen_t len = sizeof(t.to);

	signal(SIGPIPE, SIG_IGN);
	t.loop = ev_loop_new(EVFLAG_AUTO);
	clock_init(&t.clock);
	refusals_init(&t.refusals, &(struct log){ .level = LEVEL_ERROR });
	t.refusals.log = &silent;
	t.limits = (struct limits){ .max_connections = 4, .max_connections_per_peer = 3, .header_ns = 200 * NS_PER_MS };
	cr_assert(gate_open(&t.gate, t.loop, &t.clock, &t.limits, false, &t.refusals, (struct gate_host){ take_http, NULL },
			    (struct gate_host){ take_grpc, NULL }));
	t.listener = socket(AF_INET, SOCK_STREAM, 0);
	t.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	cr_assert_eq(bind(t.listener, (struct sockaddr *)&t.to, sizeof(t.to)), 0);
	cr_assert_eq(listen(t.listener, 16), 0);
	getsockname(t.listener, (struct sockaddr *)&t.to, &len);
}

static void
teardown(void)
{
	gate_close(&t.gate);
	for (size_t i = 0; i < t.fd_count; i++)
		close(t.fds[i]);
	close(t.listener);
	ev_loop_destroy(t.loop);
}

TestSuite(gate, .init = setup, .fini = teardown, .timeout = 30);

/* A client that says so much at once; its other end goes through the gate. */
static int
visit_from(const char *source, const char *words)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct address peer = { .len = sizeof(peer.v6) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, source, &from.sin_addr);
	cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&t.to, sizeof(t.to)), 0);
	if (*words)
		cr_assert_eq(send(fd, words, strlen(words), 0), (ssize_t)strlen(words));
	const int accepted = accept4(t.listener, &peer.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(accepted, 0);
	gate_arrived(&t.gate, accepted, &peer);
	return fd;
}

static int
visit(const char *words)
{
	return visit_from("127.0.0.1", words);
}

/* Lets the loop run until that many were handed over. */
static void
wait_for(const size_t *count, size_t wanted)
{
	while (*count < wanted)
		ev_run(t.loop, EVRUN_ONCE);
	cr_assert_eq(*count, wanted);
}

/* What a client is told until the other side has finished. */
static size_t
hear(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, out + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	return len;
}

Test(gate, first_bytes_tell_the_protocol)
{
	static const struct {
		const char *words;
		bool grpc;
	} cases[] = { { "PRI * HTTP/2.0\r\n", true }, { "PRI ", true }, { "POST / HTTP/1.1\r\n", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t http = t.http_count, grpc = t.grpc_count;
		const int fd = visit(cases[i].words);

		cr_expect_eq(t.grpc_count, grpc + cases[i].grpc, "%s", cases[i].words);
		cr_expect_eq(t.http_count, http + !cases[i].grpc, "%s", cases[i].words);
		close(fd);
		gate_left(&t.gate, cases[i].grpc ? t.grpc[grpc].id : t.http[http].id);
	}
}

Test(gate, nothing_is_taken_from_the_connection)
{
	char words[64];
	const int fd = visit("PRI * HTTP/2.0\r\n");

	cr_assert_eq(recv(t.fds[0], words, sizeof(words), 0), 16);
	cr_assert_eq(memcmp(words, "PRI * HTTP/2.0\r\n", 16), 0);
	close(fd);
}

Test(gate, waits_for_the_first_bytes_one_by_one)
{
	static const char words[] = "PRI ";
	int low = 0;
	socklen_t len = sizeof(low);
	const int fd = visit("");

	for (size_t i = 0; i < sizeof(words) - 1; i++) {
		cr_assert_eq(t.grpc_count + t.http_count, 0, "after %zu bytes", i);
		send(fd, words + i, 1, 0);
		ev_run(t.loop, EVRUN_NOWAIT);
	}
	wait_for(&t.grpc_count, 1);
	getsockopt(t.fds[0], SOL_SOCKET, SO_RCVLOWAT, &low, &len);
	cr_assert_eq(low, 1, "whoever has it now hears of each byte");
	close(fd);
}

Test(gate, an_end_within_the_first_bytes_is_for_http_to_answer)
{
	const int fd = visit("PR");

	shutdown(fd, SHUT_WR);
	wait_for(&t.http_count, 1);
	close(fd);
}

Test(gate, who_leaves_without_a_word_is_forgotten)
{
	for (int i = 0; i < 20; i++) {
		const int fd = visit("");

		close(fd);
		while (t.gate.first)
			ev_run(t.loop, EVRUN_ONCE);
	}
	cr_assert_eq(t.http_count + t.grpc_count, t.fd_count);
	for (size_t i = 0; i < t.http_count; i++)
		gate_left(&t.gate, t.http[i].id);
	const int fd = visit("GET ");
	cr_assert_eq(t.http[t.http_count - 1].verdict, VERDICT_OK);
	close(fd);
}

Test(gate, who_says_nothing_is_sent_away_in_time)
{
	char words[8];
	const int fd = visit("");
	const uint64_t begin = clock_now(&t.clock);

	while (t.gate.first)
		ev_run(t.loop, EVRUN_ONCE);
	cr_assert_geq(clock_now(&t.clock) - begin, 190 * NS_PER_MS);
	cr_assert_eq(recv(fd, words, sizeof(words), 0), 0);
	cr_assert_not(ev_is_active(&t.gate.impatience), "nobody is waited for");
	close(fd);
}

Test(gate, one_address_has_so_many_places)
{
	char answer[256];
	int fds[5];

	for (int i = 0; i < 3; i++)
		fds[i] = visit("GET ");
	cr_assert_eq(t.http_count, 3);
	fds[3] = visit("GET ");
	cr_assert_eq(t.http_count, 3);
	hear(fds[3], answer, sizeof(answer));
	cr_assert_eq(strncmp(answer, "HTTP/1.1 429 ", 13), 0, "%s", answer);
	cr_assert_not_null(strstr(answer, "\r\nRetry-After: 5\r\n"));
	fds[4] = visit_from("127.0.0.2", "GET ");
	cr_assert_eq(t.http_count, 4, "another address has places of its own");
	gate_left(&t.gate, t.http[0].id);
	close(fds[3]);
	fds[3] = visit("GET ");
	cr_assert_eq(t.http_count, 5, "a place was free again");
	for (int i = 0; i < 5; i++)
		close(fds[i]);
}

Test(gate, all_together_have_so_many_places)
{
	char answer[256];
	const int fds[] = { visit("GET "),
			    visit("GET "),
			    visit_from("127.0.0.2", "GET "),
			    visit_from("127.0.0.3", "GET "),
			    visit_from("127.0.0.4", "GET "),
			    visit_from("127.0.0.5", "PRI * HTTP/2.0\r\n") };

	cr_assert_eq(t.http_count, 4);
	hear(fds[4], answer, sizeof(answer));
	cr_assert_eq(strncmp(answer, "HTTP/1.1 503 ", 13), 0, "%s", answer);
	/* SETTINGS, then GOAWAY. */
	cr_assert_eq(hear(fds[5], answer, sizeof(answer)), 26);
	cr_assert_eq(answer[3], 4);
	cr_assert_eq(answer[12], 7);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

Test(gate, who_is_refused_is_told_in_its_own_language)
{
	char answer[64];
	const int fds[] = { visit("GET "), visit("GET "), visit("GET "), visit("") };

	cr_assert_eq(t.gate.turned_away, 1);
	send(fds[3], "PRI * HTTP/2.0\r\n", 16, 0);
	while (t.gate.first)
		ev_run(t.loop, EVRUN_ONCE);
	cr_assert_eq(hear(fds[3], answer, sizeof(answer)), 26);
	cr_assert_eq(t.gate.turned_away, 0);
	cr_assert_eq(t.grpc_count, 0);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

Test(gate, no_id_is_used_twice)
{
	uint64_t last = 0;

	for (int i = 0; i < 10; i++) {
		const int fd = visit("GET ");
		const uint64_t id = t.http[t.http_count - 1].id;

		cr_assert_gt(id, last);
		cr_assert_eq(t.gate.seated, 1);
		last = id;
		gate_left(&t.gate, id);
		gate_left(&t.gate, id); /* harmless */
		close(fd);
	}
	cr_assert_eq(t.gate.seated, 0);
	cr_assert_eq(t.gate.refused, 0);
	cr_assert_eq(t.gate.crowd_count, 1);
}

Test(gate, own_connections_are_known_and_others_are_not)
{
	const int fd = visit("GET ");

	cr_assert_eq(t.http[0].verdict, VERDICT_OK);
	cr_assert_eq(t.http[0].from.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	cr_assert_eq(t.http[0].local.v4.sin_port, t.to.sin_port);
	/* A broker of another user would see us as a stranger. */
	t.gate.own = geteuid() + 1;
	const int stranger = visit("GET ");
	cr_assert_eq(t.http[1].verdict, VERDICT_FOREIGN_USER);
	t.gate.allow_other_users = true;
	gate_left(&t.gate, t.http[1].id);
	const int guest = visit("GET ");
	cr_assert_eq(t.http[2].verdict, VERDICT_OK);
	close(fd);
	close(stranger);
	close(guest);
}

Test(gate, strangers_share_a_few_places)
{
	char source[] = "127.0.0.1", answer[64];
	int fds[10];

	gate_close(&t.gate);
	t.limits.max_connections = 12;
	cr_assert(gate_open(&t.gate, t.loop, &t.clock, &t.limits, false, &t.refusals, (struct gate_host){ take_http, NULL },
			    (struct gate_host){ take_grpc, NULL }));
	t.gate.own = geteuid() + 1;
	for (size_t i = 0; i < 9; i++) {
		source[sizeof(source) - 2] = (char)('1' + i);
		fds[i] = visit_from(source, "GET ");
	}
	cr_assert_eq(t.http_count, 8);
	hear(fds[8], answer, sizeof(answer));
	cr_assert_eq(strncmp(answer, "HTTP/1.1 429 ", 13), 0, "%s", answer);
	t.gate.own = geteuid();
	fds[9] = visit("GET ");
	cr_assert_eq(t.http_count, 9, "there is room for others");
	cr_assert_eq(t.http[8].verdict, VERDICT_OK);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}
