/*
 * Any bytes as the message of an error: what is shown is one line that fits, the same for any size as far as it goes, and has
 * a class.
 */
#include "error.h"
#include "error_text.h"
#include "require.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str message = { (const char *)data, size };
	char text[ERROR_TEXT_SIZE], shorter[ERROR_TEXT_SIZE / 4];
	const size_t len = error_text(message, text, sizeof(text)), shorter_len = error_text(message, shorter, sizeof(shorter));
	const enum error_class class = error_classify(0, (struct str){ 0 }, message);

	require(len < sizeof(text) && len == strlen(text));
	for (size_t i = 0; i < len; i++)
		require((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
	require(shorter_len < sizeof(shorter) && shorter_len <= len && memcmp(text, shorter, shorter_len) == 0);
	require(class > ERROR_NONE && class < ERROR_CLASS_COUNT);
	return 0;
}
