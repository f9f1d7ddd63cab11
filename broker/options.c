#include "options.h"

#include "buf.h"
#include "config_forward.h"
#include "file.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_MAX 64
#define FILE_MAX     (1 << 20)

/* Options beyond those of the table; getopt_long() returns these, or SETTING_BASE and the setting's index. */
enum { OPT_CONFIG = 256, OPT_CHECK, OPT_VERBOSE, OPT_HELP, OPT_VERSION, SETTING_BASE };

static const struct option extra_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG }, { "check-config", no_argument, NULL, OPT_CHECK },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },     { "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
};
#define EXTRA_COUNT (sizeof(extra_options) / sizeof(extra_options[0]))

/* What a walk over the command line is to do; NULL: not this time. */
struct walk {
	struct options *options;
	const char **ret_file;        /* first walk: find --config and the actions */
	struct config_report *report; /* second walk: apply settings */
};

static bool
apply(struct config *c, const struct setting *s, enum config_layer layer, const char *name, const char *text,
      struct config_report *report)
{
	char why[200];

	if (config_set(c, s, layer, text, why, sizeof(why)))
		return true;
	config_complain(report, "%s: %s", name, why);
	return false;
}

static void
take_setting(const struct walk *w, const struct setting *s, const char *text)
{
	char name[64];

	if (!w->report)
		return;
	snprintf(name, sizeof(name), "--%s", s->option);
	apply(&w->options->config, s, LAYER_COMMAND_LINE, name, text ? text : "yes", w->report);
}

static const struct setting *
setting_by_option(const char *option)
{
	for (size_t i = 0; i < config_setting_count; i++)
		if (strcmp(config_settings[i].option, option) == 0)
			return &config_settings[i];
	return NULL;
}

static void
take_option(const struct walk *w, int opt)
{
	switch (opt) {
	case OPT_CONFIG:
		if (w->ret_file)
			*w->ret_file = optarg;
		break;
	case OPT_CHECK:
		w->options->action = OPTIONS_CHECK;
		break;
	case OPT_VERBOSE:
		take_setting(w, setting_by_option("log-level"), log_level_name(LEVEL_DEBUG));
		break;
	case OPT_HELP:
		w->options->action = OPTIONS_HELP;
		break;
	case OPT_VERSION:
		w->options->action = OPTIONS_VERSION;
		break;
	default:
		take_setting(w, &config_settings[opt - SETTING_BASE], optarg);
	}
}

static bool
usage_error(const char *what, const char *argument)
{
	fprintf(stderr, "agentbusd: %s \"%s\"; see --help\n", what, argument);
	return false;
}

/* Walks over the command line once. False, after saying why, if it cannot be. */
static bool
walk_arguments(int argc, char **argv, const struct walk *w)
{
	struct option longs[SETTINGS_MAX + EXTRA_COUNT + 1] = { 0 };
	size_t n = 0;
	int opt;

	for (; n < config_setting_count && n < SETTINGS_MAX; n++)
		longs[n] = (struct option){ config_settings[n].option,
					    config_settings[n].type == SETTING_FLAG ? no_argument : required_argument, NULL,
					    SETTING_BASE + (int)n };
	memcpy(longs + n, extra_options, sizeof(extra_options));
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return usage_error(opt == ':' ? "a value is missing after" : "unknown option", argv[optind - 1]);
		take_option(w, opt);
		if (w->options->action == OPTIONS_HELP || w->options->action == OPTIONS_VERSION)
			return true;
	}
	return optind == argc || usage_error("unexpected argument", argv[optind]);
}

/*
 * A place of the XDG Base Directory Specification: below the directory that the variable names, else below `fallback` of the
 * home directory. Empty if the environment names neither.
 */
static void
xdg_path(const char *variable, const char *fallback, const char *name, char path[CONFIG_PATH_MAX])
{
	const char *base = getenv(variable);
	const char *home = getenv("HOME");
	int len = 0;

	if (base && *base == '/')
		len = snprintf(path, CONFIG_PATH_MAX, "%s/%s", base, name);
	else if (home && *home == '/')
		len = snprintf(path, CONFIG_PATH_MAX, "%s/%s/%s", home, fallback, name);
	if (len <= 0 || len >= CONFIG_PATH_MAX)
		*path = '\0';
}

void
options_session_files(const struct config *c, char path[CONFIG_PATH_MAX])
{
	const char *own = getenv("CLAUDE_CONFIG_DIR");

	*path = '\0';
	if (*c->session_files == '/')
		strcpy(path, c->session_files);
	else if (strcmp(c->session_files, "yes") == 0)
		xdg_path(own && *own ? "CLAUDE_CONFIG_DIR" : "", ".claude", "sessions", path);
}

/* Applies the file that --config or AGENTBUS_CONFIG names, else the default one if there is one. */
static void
apply_file(struct options *o, const char *named, struct config_report *report)
{
	struct buf text = { 0 };

	if (named)
		snprintf(o->file, sizeof(o->file), "%s", named);
	else
		xdg_path("XDG_CONFIG_HOME", ".config", "agentbus/agentbus.conf", o->file);
	if (*o->file && file_read(o->file, FILE_MAX, &text))
		config_parse(&o->config, (const char *)text.bytes, text.len, o->file, report);
	else if (named || (*o->file && errno != ENOENT && errno != ENOTDIR))
		config_complain(report, "%s: %s", *o->file ? o->file : "--config", *o->file ? strerror(errno) : "no file named");
	else
		*o->file = '\0';
	buf_finish(&text);
}

static void
apply_environment(struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < config_setting_count; i++) {
		const char *text = getenv(config_settings[i].env);

		if (text && *text)
			apply(c, &config_settings[i], LAYER_ENVIRONMENT, config_settings[i].env, text, report);
	}
}

int
options_load(int argc, char **argv, struct config_report *report, struct options *ret)
{
	struct options o = { .action = OPTIONS_RUN };
	const char *file = getenv("AGENTBUS_CONFIG");
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	config_default(&o.config);
	if (file && !*file)
		file = NULL;
	if (!walk_arguments(argc, argv, &(struct walk){ .options = &o, .ret_file = &file }))
		return 2;
	if (o.action == OPTIONS_HELP || o.action == OPTIONS_VERSION) {
		*ret = o;
		return 0;
	}
	if (runtime && *runtime == '/' && strlen(runtime) + sizeof("/agentbus") <= CONFIG_PATH_MAX)
		snprintf(o.config.runtime_dir, sizeof(o.config.runtime_dir), "%s/agentbus", runtime);
	xdg_path("XDG_STATE_HOME", ".local/state", "agentbus", o.config.state_dir);
	apply_file(&o, file, report);
	apply_environment(&o.config, report);
	const unsigned before = report->errors;
	walk_arguments(argc, argv, &(struct walk){ .options = &o, .report = report });
	if (report->errors > before)
		return 2;
	if (report->errors == 0)
		config_forward_check(&o.config, o.file, report);
	if (report->errors > 0)
		return 1;
	*ret = o;
	return 0;
}

static void
help_line(const char *option, const char *metavar, const char *help, const char *fallback)
{
	char left[80];

	snprintf(left, sizeof(left), "--%s%s%s", option, *metavar ? " " : "", metavar);
	printf("  %-30s %s%s%s%s\n", left, help, *fallback ? " (" : "", fallback, *fallback ? ")" : "");
}

void
options_help(void)
{
	struct config defaults;

	config_default(&defaults);
	printf("Usage: agentbusd [OPTION]...\n\n"
	       "Receives the telemetry of AI coding CLIs (OTLP over gRPC and HTTP) and publishes what their sessions do.\n\n");
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];
		char fallback[CONFIG_PATH_MAX], metavar[32];

		config_show(&defaults, s, fallback, sizeof(fallback));
		config_metavar(s, metavar, sizeof(metavar));
		help_line(s->option, metavar, s->help, s->type == SETTING_FLAG ? "" : fallback);
	}
	help_line("config", "FILE", "settings, instead of $XDG_CONFIG_HOME/agentbus/agentbus.conf", "");
	help_line("check-config", "", "say whether the settings are right, and exit", "");
	help_line("verbose", "", "the same as --log-level debug", "");
	help_line("help", "", "print this and exit", "");
	help_line("version", "", "print the version and exit", "");
	printf("\nTIME is 15, 15s, 500ms, 5m or 1h; BYTES is 65536, 64K, 16M or 1G. Each option may also be given in the\n"
	       "environment (AGENTBUS_QUIET_AFTER=10s). The command line wins over the environment, which wins over the file.\n"
	       "See agentbusd(1) for the file.\n");
}
