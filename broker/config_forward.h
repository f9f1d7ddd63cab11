/*
 * The sections [forward NAME] of the configuration: a list of destinations beside the flat table of settings. Pure.
 */
#ifndef AGENTBUS_CONFIG_FORWARD_H
#define AGENTBUS_CONFIG_FORWARD_H

#include "config.h"

#define CONFIG_FORWARD_DEFAULT "default" /* the name of what --forward sets */

/* Whether a section is one of these, its name right or wrong. */
bool config_forward_section(const char *section);

/* Takes one key of such a section, on that line of the file. False, with the reason in why. */
bool config_forward_set(struct config *c, const char *section, unsigned line, const char *key, const char *text, char *why,
			size_t why_size);

/* --forward: the URL of the destination named "default", or "" for none of that name. False, with the reason in why. */
bool config_forward_set_url(struct config *c, const char *text, char *why, size_t why_size);

/* Complains of destinations that cannot be as a whole: without a URL, or leading back here. `name` is the file's. */
void config_forward_check(const struct config *c, const char *name, struct config_report *report);

/* Whether two configurations have the same destinations. */
bool config_forward_same(const struct config *a, const struct config *b);

/* The URL without what may be a secret in it: user and password. */
void config_forward_show_url(const char *url, char *text, size_t size);

/* The name of a signal as people and paths of OTLP have it. Static. */
const char *config_forward_signal(enum otlp_signal signal);

#endif
