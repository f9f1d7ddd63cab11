/* agentbusd: the start, the signals and the end. */
#include "broker.h"
#include "forward_secret.h"
#include "options.h"
#include "pricing.h"
#include "tidier.h"
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct daemon {
	int argc;
	char **argv;
	struct broker broker;
	ev_signal interrupt, terminate, hangup;
};

/* Errors of the configuration go to the log once there is one. */
struct reload_report {
	struct config_report report;
	const struct log *log;
};

static void
print_line(struct config_report *report, const char *text)
{
	(void)report;
	fprintf(stderr, "agentbusd: %s\n", text);
}

static void
log_line(struct config_report *report, const char *text)
{
	log_error(((struct reload_report *)report)->log, "%s", text);
}

static void
stop_asked(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	broker_drain(&d->broker);
}

static void
reload(struct daemon *d)
{
	struct reload_report r = { .report.line = log_line, .log = &d->broker.log };
	struct price_table *prices;
	struct options o;

	if (options_load(d->argc, d->argv, &r.report, &o) != 0) {
		log_error(&d->broker.log, "the configuration was not read again: the old one stays in force");
		return;
	}
	prices = pricing_load(o.config.pricing_file, &r.report);
	if (!prices)
		log_error(&d->broker.log, "the prices were not read again: the old ones stay in force");
	broker_reload(&d->broker, &o.config, prices);
}

static void
reload_asked(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	service_reloading();
	reload(w->data);
	service_reloaded();
}

static void
start_signal(struct daemon *d, struct ev_loop *loop, ev_signal *w, void (*fn)(struct ev_loop *, ev_signal *, int), int signum)
{
	ev_signal_init(w, fn, signum);
	w->data = d;
	ev_signal_start(loop, w);
}

/* Connections are descriptors: what the system allows is ours to use. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* What we hold in memory may be somebody's work: it stays there. RLIMIT_CORE alone would not stop a core handler. */
static void
forbid_core_dumps(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0);
}

/* Takes the prices. */
static int
run(struct daemon *d, const struct config *config, struct price_table *prices)
{
	/* nng's threads allocate little: they need no arenas of their own. */
	mallopt(M_ARENA_MAX, 1);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of writing, and no more */
	if (!config->core_dumps)
		forbid_core_dumps();
	raise_descriptor_limit();
	struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
	if (!loop) {
		fprintf(stderr, "agentbusd: no event loop: the system has no descriptors left\n");
		price_table_destroy(prices);
		return 1;
	}
	/* Before anything is opened: a signal at any time then ends in order. */
	start_signal(d, loop, &d->interrupt, stop_asked, SIGINT);
	start_signal(d, loop, &d->terminate, stop_asked, SIGTERM);
	start_signal(d, loop, &d->hangup, reload_asked, SIGHUP);
	if (!broker_start(&d->broker, loop, config, prices))
		return 1;
	ev_run(loop, 0);
	broker_stop(&d->broker);
	ev_loop_destroy(loop);
	return 0;
}

static int
check(const struct options *o)
{
	struct log log;

	log_init(&log, o->config.log_level);
	if (!forward_secret_check(&o->config.forward, &log))
		return 1;
	if (*o->file)
		printf("agentbusd: %s is fine\n", o->file);
	else
		printf("agentbusd: there is no configuration file; the defaults are fine\n");
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], TIDIER_OPTION) == 0)
		return tidier_main(argv[2]);

	struct config_report report = { .line = print_line };
	struct daemon d = { .argc = argc, .argv = argv };
	struct price_table *prices;
	struct options o;
	const int status = options_load(argc, argv, &report, &o);

	if (status != 0)
		return status;
	switch (o.action) {
	case OPTIONS_HELP:
		options_help();
		return 0;
	case OPTIONS_VERSION:
		printf("agentbusd %s\n", AGENTBUS_VERSION);
		return 0;
	case OPTIONS_CHECK:
	case OPTIONS_RUN:
		break;
	}
	prices = pricing_load(o.config.pricing_file, &report);
	if (!prices)
		return 1;
	if (o.action == OPTIONS_RUN)
		return run(&d, &o.config, prices);
	price_table_destroy(prices);
	return check(&o);
}
