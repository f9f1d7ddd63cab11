#include "emit.h"

#include "emit_host.h"
#include "emit_message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX    ((size_t)1 << 20) /* what comes after that is read and not looked at */
#define INPUT_MS     20
#define SEND_MS      10
#define LATE_MS      5000 /* how long a process of its own goes on trying */
#define NS_PER_MS    1000000ll
#define PROVIDER_OPT "--provider"
#define RUNTIME_OPT  "--runtime-dir"
#define CONFIG_OPT   "--config"

struct request {
	const char *provider, *runtime_dir, *config;
	char *json; /* of the command line, NULL: standard input */
	bool help, version;
};

/* --- the command line --- */

static const struct {
	const char *name;
	size_t member;
} options[] = {
	{ PROVIDER_OPT, offsetof(struct request, provider) },
	{ RUNTIME_OPT, offsetof(struct request, runtime_dir) },
	{ CONFIG_OPT, offsetof(struct request, config) }, /* as every verb takes it; nothing of it is for this one */
};

/* How many arguments the option at argv takes up; 0 if it is none of ours. */
static int
read_option(char **argv, struct request *r)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const size_t len = strlen(options[i].name);
		const char **value = (const char **)((char *)r + options[i].member);

		if (strncmp(argv[0], options[i].name, len) != 0)
			continue;
		if (argv[0][len] == '=') {
			*value = argv[0] + len + 1;
			return 1;
		}
		if (argv[0][len] == '\0' && argv[1]) {
			*value = argv[1];
			return 2;
		}
	}
	return 0;
}

/* What it does not know it passes over: a hook must not fail. */
static struct request
read_arguments(int argc, char **argv)
{
	struct request r = { 0 };

	for (int i = 1; i < argc;) {
		const int n = read_option(argv + i, &r);

		if (n == 0 && strcmp(argv[i], "--help") == 0)
			r.help = true;
		if (n == 0 && strcmp(argv[i], "--version") == 0)
			r.version = true;
		if (n == 0 && argv[i][0] == '{')
			r.json = argv[i];
		i += n ? n : 1;
	}
	return r;
}

static void
print_help(void)
{
	puts("usage: agentbus emit [--provider claude|codex|gemini|qwen] [JSON]\n\n"
	     "For the hooks of AI coding CLIs: tells the broker what happens, so that states are exact. Reads the hook's JSON\n"
	     "from standard input, or takes it as the last argument, as Codex gives it to its notify program. Always succeeds,\n"
	     "at once, whether a broker runs or not. No prompts, answers, or tools' arguments are sent.\n\n"
	     "  --provider NAME    whose hook it is (default: the JSON tells)\n"
	     "  --runtime-dir DIR  where the broker's sockets are (default $XDG_RUNTIME_DIR/agentbus)");
}

/* --- the input --- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / NS_PER_MS;
}

/* Reads to the end, or as far as it comes in time. A CLI may not like it if nobody reads: so also what is too much. */
static size_t
read_input(char *text)
{
	const int64_t deadline = now_ms() + INPUT_MS;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char rest[4096] = "";
	size_t len = 0;

	for (int64_t left; (left = deadline - now_ms()) >= 0;) {
		const bool full = len == INPUT_MAX;
		ssize_t n;

		if (poll(&p, 1, (int)left) <= 0)
			break;
		n = read(STDIN_FILENO, full ? rest : text + len, full ? sizeof(rest) : INPUT_MAX - len);
		if (n <= 0)
			break;
		len += full ? 0 : (size_t)n;
	}
	return len;
}

/* --- the socket --- */

static bool
find_broker(const char *dir, struct sockaddr_un *ret)
{
	const char *sub = "";
	int n;

	if (!dir)
		dir = secure_getenv("AGENTBUS_RUNTIME_DIR");
	if (!dir || !*dir) {
		dir = secure_getenv("XDG_RUNTIME_DIR");
		sub = "/agentbus";
	}
	if (!dir || !*dir)
		return false;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s%s/ingest", dir, sub);
	return n > 0 && (size_t)n < sizeof(ret->sun_path);
}

/* Sends within so many milliseconds; false if the broker's queue stayed full. */
static bool
send_within(int fd, const char *message, size_t len, int ms)
{
	const int64_t deadline = now_ms() + ms;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		int64_t left;

		if (send(fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || (errno != EAGAIN && errno != EINTR))
			return true;
		left = deadline - now_ms();
		if (left <= 0 || poll(&p, 1, (int)left) < 0)
			return false;
	}
}

/* The queue is short, and the broker may be busy. Nobody waits for this process: it holds none of the CLI's pipes. */
static void
send_later(int fd, const char *message, size_t len)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || fork() != 0)
		return;
	setsid();
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		dup2(null, i);
	dup2(fd, STDERR_FILENO + 1);
	closefrom(STDERR_FILENO + 2);
	send_within(STDERR_FILENO + 1, message, len, LATE_MS);
	_exit(0);
}

static void
send_message(const char *runtime_dir, const char *message, size_t len)
{
	struct sockaddr_un broker;
	const int fd = find_broker(runtime_dir, &broker) ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&broker, sizeof(broker)) == 0 && !send_within(fd, message, len, SEND_MS))
		send_later(fd, message, len);
	close(fd);
}

/* --- the verb --- */

static const char *
variable(const char *name)
{
	return getenv(name);
}

static bool
is_word(const char *text)
{
	return !text[strspn(text, "abcdefghijklmnopqrstuvwxyz-")] && strlen(text) < 32;
}

int
emit_run(int argc, char **argv)
{
	const struct request r = read_arguments(argc, argv);
	struct emit_origin origin = { .provider = r.provider, .source = r.json ? "notify" : "hook", .variable = variable };
	struct emit_host host;
	struct timespec now;
	char *text, message[EMIT_MESSAGE_MAX];
	size_t len;

	if (r.help) {
		print_help();
		return 0;
	}
	if (r.version) {
		puts("agentbus " AGENTBUS_VERSION);
		return 0;
	}
	if (r.provider && !is_word(r.provider))
		return 0;
	signal(SIGPIPE, SIG_IGN);
	clock_gettime(CLOCK_REALTIME, &now);
	text = r.json ? r.json : malloc(INPUT_MAX);
	if (!text)
		return 0;
	len = r.json ? strlen(r.json) : read_input(text);
	host = emit_host_find();
	origin.self = (uint32_t)getpid();
	origin.pid = host.pid;
	origin.tty = host.tty;
	origin.time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	len = emit_message(&origin, text, len, message);
	if (text != r.json)
		free(text);
	if (len)
		send_message(r.runtime_dir, message, len);
	return 0;
}
