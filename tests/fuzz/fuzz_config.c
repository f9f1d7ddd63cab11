/* Any bytes as a configuration file: complaints, but nothing worse; and what was accepted can be shown and set again. */
#include "config.h"

#include <stdlib.h>

static void
ignore(struct config_report *report, const char *text)
{
	(void)report;
	(void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report report = { .line = ignore };
	struct config c, again;
	char text[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX], why[200];

	config_default(&c);
	config_parse(&c, (const char *)data, size, "fuzz", &report);
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];

		again = c;
		again.listen_layer = LAYER_DEFAULT;
		config_show(&c, s, text, sizeof(text));
		if (*text && (!config_set(&again, s, LAYER_COMMAND_LINE, text, why, sizeof(why)) || !config_same(&c, &again, s)))
			abort();
	}
	return 0;
}
