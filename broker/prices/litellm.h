/*
 * LiteLLM's list of models (model_prices_and_context_window.json) as prices of ours. Pure.
 *
 * Taken are models that people talk to (mode chat or responses) and that have a rate for input and one for output. Rates are
 * dollars per token there; they become pico-dollars without rounding, and a model whose rates are no whole number of these is
 * left out. "provider/model" is also known as "model" where no model has that name, the provider is the one that LiteLLM names,
 * and all that share it cost the same.
 */
#ifndef AGENTBUS_PRICES_LITELLM_H
#define AGENTBUS_PRICES_LITELLM_H

#include "prices/price_file.h"
#include "prices/price_table.h"

#define LITELLM_FILE_MAX ((size_t)32 << 20) /* bytes */

/* Why models were left out. */
enum litellm_reason {
	LITELLM_OTHER_MODE, /* images, speech, embeddings … */
	LITELLM_NO_RATES,   /* none for input, or none for output */
	LITELLM_BAD_RATES,  /* no amounts of money, or finer than a pico-dollar per token */
	LITELLM_BAD_NAME,   /* too long for us, with spaces, or there twice */
	LITELLM_BAD_TIERS,  /* too many of them */
	LITELLM_TOO_MANY,   /* PRICE_MODELS_MAX are taken */
	LITELLM_REASONS
};

/* A few words for messages. Static. */
const char *litellm_reason_words(enum litellm_reason reason);

struct litellm_counts {
	size_t taken, left_out[LITELLM_REASONS];
};

/*
 * Appends what can be taken to *ret; as_of is a day that is written into each, "2026-11-26". False, after reporting it as
 * price_file_parse() does, if the text is no such list at all.
 */
bool litellm_parse(const char *text, size_t len, const char *name, const char *as_of, struct price_report *report,
		   struct price_list *ret, struct litellm_counts *ret_counts);

#endif
