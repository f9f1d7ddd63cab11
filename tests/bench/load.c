/*
 * A load generator over loopback: keep-alive connections, one request at a time on each, with a body that is patched for every
 * request so that no two are the same.
 *
 *	load [-c CONNECTIONS] [-r RATE] [-l] PORT REQUESTS TYPE BODY [KIND:OFFSET]...
 *
 * Prints requests, seconds and refusals; with -l also how long it took from sending a request until its number appeared in
 * a line on standard input (a subscriber's output): the 50th and 99th percentile and the largest, in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define PATCHES_MAX     256
#define SESSIONS        100
#define NUMBER_DIGITS   12
#define NS_PER_S        1000000000ull
#define GIVE_UP_NS      (30 * NS_PER_S)

/* A place of the body that changes with each request. */
struct patch {
	char kind; /* n: number, 12 digits; s: session, 8 digits; t: time, 8 bytes; d: time, 19 digits */
	size_t offset;
};

struct connection {
	int fd;
	bool busy;
	char answer[4096];
	size_t got;
};

struct load {
	struct connection connections[CONNECTIONS_MAX];
	size_t connection_count, next;
	struct patch patches[PATCHES_MAX];
	size_t patch_count;
	char *request; /* header and body */
	size_t len, header_len;
	uint64_t total, sent, done, refused, seen;
	uint64_t rate; /* requests a second; 0: as many as it takes */
	uint64_t begin;
	bool latency;
	uint64_t *sent_at, *took; /* by request number, nanoseconds */
	char line[1 << 16];       /* what is left of standard input: an unfinished number */
	size_t line_len;
};

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
put_digits(char *at, unsigned digits, uint64_t n)
{
	while (digits-- > 0) {
		at[digits] = (char)('0' + n % 10);
		n /= 10;
	}
}

static void
patch_request(struct load *l, uint64_t number)
{
	const uint64_t time_ns = now_ns(CLOCK_REALTIME);

	for (size_t i = 0; i < l->patch_count; i++) {
		char *at = l->request + l->header_len + l->patches[i].offset;

		switch (l->patches[i].kind) {
		case 'n':
			put_digits(at, NUMBER_DIGITS, number);
			break;
		case 's':
			put_digits(at, 8, number % SESSIONS);
			break;
		case 't':
			memcpy(at, &time_ns, sizeof(time_ns));
			break;
		case 'd':
			put_digits(at, 19, time_ns);
			break;
		}
	}
}

static void
send_request(struct load *l, struct connection *c)
{
	patch_request(l, l->sent);
	if (l->latency)
		l->sent_at[l->sent] = now_ns(CLOCK_MONOTONIC);
	for (size_t done = 0; done < l->len;) {
		const ssize_t n = send(c->fd, l->request + done, l->len - done, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		done += (size_t)n;
	}
	l->sent++;
	c->busy = true;
	c->got = 0;
}

/* How long the answer in c is as a whole; 0 if that is not known yet. */
static size_t
answer_length(const struct connection *c)
{
	const char *end = memmem(c->answer, c->got, "\r\n\r\n", 4);
	const char *length = memmem(c->answer, c->got, "ontent-Length:", 14);

	if (!end)
		return 0;
	return (size_t)(end + 4 - c->answer) + (length ? strtoul(length + 14, NULL, 10) : 0);
}

static void
receive_answer(struct load *l, struct connection *c)
{
	const ssize_t n = recv(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got, 0);

	if (n <= 0)
		die("the broker closed a connection");
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	const size_t length = answer_length(c);
	if (length == 0 || c->got < length)
		return;
	if (strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0)
		l->refused++;
	l->done++;
	c->busy = false;
}

/* Notes the time of each number "req_############" in what the subscriber printed; keeps what may be half of one. */
static void
read_subscriber(struct load *l)
{
	const ssize_t n = read(STDIN_FILENO, l->line + l->line_len, sizeof(l->line) - l->line_len);
	const uint64_t now = now_ns(CLOCK_MONOTONIC);

	if (n <= 0)
		die("the subscriber ended");
	const char *at = l->line, *end = l->line + l->line_len + n, *found;
	while ((found = memmem(at, (size_t)(end - at), "req_", 4)) && end - found >= 4 + NUMBER_DIGITS) {
		const uint64_t number = strtoull(found + 4, NULL, 10);

		if (number < l->total && l->took[number] == 0) {
			l->took[number] = now - l->sent_at[number];
			l->seen++;
		}
		at = found + 4 + NUMBER_DIGITS;
	}
	l->line_len = (size_t)(end - at) < 4 + NUMBER_DIGITS ? (size_t)(end - at) : 4 + NUMBER_DIGITS - 1;
	memmove(l->line, end - l->line_len, l->line_len);
}

/* When the next request is due, as a monotonic time. */
static uint64_t
due_at(const struct load *l)
{
	return l->rate ? l->begin + l->sent * NS_PER_S / l->rate : 0;
}

static void
send_what_is_due(struct load *l)
{
	/* In turn, for the broker does not keep a connection that says nothing. */
	for (size_t i = 0; i < l->connection_count && l->sent < l->total; i++) {
		struct connection *c = &l->connections[l->next++ % l->connection_count];
		if (c->busy)
			continue;
		if (now_ns(CLOCK_MONOTONIC) < due_at(l))
			return;
		send_request(l, c);
	}
}

static void
wait_and_read(struct load *l)
{
	struct pollfd fds[CONNECTIONS_MAX + 1];
	struct timespec timeout = { .tv_sec = 1 };
	const uint64_t now = now_ns(CLOCK_MONOTONIC), due = due_at(l);

	if (l->rate && l->sent < l->total)
		timeout = (struct timespec){ .tv_nsec = due > now ? (long)((due - now) % NS_PER_S) : 0 };
	for (size_t i = 0; i < l->connection_count; i++)
		fds[i] = (struct pollfd){ .fd = l->connections[i].fd, .events = POLLIN };
	fds[l->connection_count] = (struct pollfd){ .fd = l->latency ? STDIN_FILENO : -1, .events = POLLIN };
	if (ppoll(fds, l->connection_count + 1, &timeout, NULL) < 0 && errno != EINTR)
		die("poll");
	if (fds[l->connection_count].revents)
		read_subscriber(l);
	for (size_t i = 0; i < l->connection_count; i++)
		if (fds[i].revents)
			receive_answer(l, &l->connections[i]);
}

static void
run(struct load *l)
{
	uint64_t progress = 0, since = now_ns(CLOCK_MONOTONIC);

	l->begin = since;
	while (l->done < l->total || (l->latency && l->seen < l->total)) {
		send_what_is_due(l);
		wait_and_read(l);
		const uint64_t now = now_ns(CLOCK_MONOTONIC);
		if (l->done + l->seen != progress) {
			progress = l->done + l->seen;
			since = now;
		} else if (now - since > GIVE_UP_NS) {
			errno = ETIMEDOUT;
			die("nothing moves");
		}
	}
}

/* --- setting up --- */

static void
connect_all(struct load *l, uint16_t port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (size_t i = 0; i < l->connection_count; i++) {
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
			die("connect");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		l->connections[i].fd = fd;
	}
}

static void
make_request(struct load *l, const char *type, const char *path)
{
	FILE *f = fopen(path, "rb");
	char header[300];

	if (!f || fseek(f, 0, SEEK_END) < 0)
		die(path);
	const long size = ftell(f);
	rewind(f);
	l->header_len = (size_t)snprintf(
	    header, sizeof(header),
	    "POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: %ld\r\n\r\n", type, size);
	l->len = l->header_len + (size_t)size;
	l->request = malloc(l->len);
	if (!l->request)
		die("memory");
	memcpy(l->request, header, l->header_len);
	if (fread(l->request + l->header_len, 1, (size_t)size, f) != (size_t)size)
		die(path);
	fclose(f);
}

static int
compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
report(struct load *l)
{
	const double seconds = (double)(now_ns(CLOCK_MONOTONIC) - l->begin) / (double)NS_PER_S;

	printf("{\"requests\": %" PRIu64 ", \"seconds\": %.3f, \"refused\": %" PRIu64, l->done, seconds, l->refused);
	if (l->latency) {
		qsort(l->took, l->total, sizeof(*l->took), compare);
		printf(", \"p50_us\": %.0f, \"p99_us\": %.0f, \"max_us\": %.0f", (double)l->took[l->total / 2] / 1000,
		       (double)l->took[l->total * 99 / 100] / 1000, (double)l->took[l->total - 1] / 1000);
	}
	puts("}");
}

int
main(int argc, char **argv)
{
	static struct load l = { .connection_count = 8 };
	int opt;

	while ((opt = getopt(argc, argv, "c:r:l")) != -1) {
		if (opt == 'c')
			l.connection_count = strtoul(optarg, NULL, 10);
		else if (opt == 'r')
			l.rate = strtoull(optarg, NULL, 10);
		else
			l.latency = opt == 'l';
	}
	argv += optind;
	if (argc - optind < 4 || l.connection_count == 0 || l.connection_count > CONNECTIONS_MAX) {
		fputs("usage: load [-c CONNECTIONS] [-r RATE] [-l] PORT REQUESTS TYPE BODY [KIND:OFFSET]...\n", stderr);
		return 2;
	}
	l.total = strtoull(argv[1], NULL, 10);
	l.sent_at = calloc(l.total + 1, sizeof(*l.sent_at));
	l.took = calloc(l.total + 1, sizeof(*l.took));
	if (!l.sent_at || !l.took)
		die("memory");
	make_request(&l, argv[2], argv[3]);
	for (char **p = argv + 4; *p && l.patch_count < PATCHES_MAX; p++)
		l.patches[l.patch_count++] = (struct patch){ .kind = **p, .offset = strtoul(*p + 2, NULL, 10) };
	connect_all(&l, (uint16_t)strtoul(argv[0], NULL, 10));
	run(&l);
	report(&l);
	for (size_t i = 0; i < l.connection_count; i++)
		close(l.connections[i].fd);
	free(l.request);
	free(l.sent_at);
	free(l.took);
	return l.refused != 0;
}
