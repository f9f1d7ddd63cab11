#include "agentbus/grpc_text.h"

#include "guard.h"

#include <criterion/criterion.h>

#define MAX_LINE 64

Test(grpc_text, prefix_is_flag_and_length_in_network_order)
{
	uint8_t out[GRPC_PREFIX];

	grpc_prefix(out, false, 0);
	cr_assert_arr_eq(out, "\0\0\0\0\0", GRPC_PREFIX);
	grpc_prefix(out, true, 0x01020384);
	cr_assert_arr_eq(out, "\1\1\2\3\x84", GRPC_PREFIX);
	grpc_prefix(out, false, UINT32_MAX);
	cr_assert_arr_eq(out, "\0\xff\xff\xff\xff", GRPC_PREFIX);
}

static const struct {
	const char *line, *value; /* NULL: another header */
} lines[] = {
	{ "grpc-status: 8\r\n", "8" },
	{ "GRPC-Status:8", "8" },
	{ "grpc-status: \t 12  \r\n", "12" },
	{ "grpc-status:", "" },
	{ "grpc-status: \r\n", "" },
	{ "grpc-status-details-bin: CAg\r\n", NULL },
	{ "grpc-statu: 8", NULL },
	{ "grpc-status", NULL },
	{ "xgrpc-status: 8", NULL },
	{ "HTTP/2 200 \r\n", NULL },
	{ "\r\n", NULL },
	{ "", NULL },
};

Test(grpc_text, header_finds_its_name_and_trims_the_value)
{
	struct guard g = guard_create(MAX_LINE);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t len = strlen(lines[i].line), value_len = 99;
		const char *line = guard_put(&g, lines[i].line, len), *value = NULL;
		bool found = grpc_header(line, len, "grpc-status", &value, &value_len);

		cr_assert_eq(found, lines[i].value != NULL, "%s", lines[i].line);
		if (found) {
			cr_assert_eq(value_len, strlen(lines[i].value), "%s", lines[i].line);
			cr_assert_arr_eq(value, lines[i].value, value_len);
		} else {
			cr_assert_null(value);
			cr_assert_eq(value_len, 99);
		}
	}
	guard_destroy(&g);
}

Test(grpc_text, header_reads_no_further_than_any_prefix)
{
	static const char whole[] = "grpc-status: 16\r\n";
	struct guard g = guard_create(MAX_LINE);

	for (size_t len = 0; len < sizeof(whole); len++) {
		const char *value;
		size_t value_len;
		bool found = grpc_header(guard_put(&g, whole, len), len, "grpc-status", &value, &value_len);

		cr_assert_eq(found, len >= strlen("grpc-status:"), "%zu", len);
		cr_assert(!found || value_len <= 2 || value[2] == '\0');
	}
	guard_destroy(&g);
}

Test(grpc_text, status_is_a_number_and_nothing_else)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "x", "1x", "1234567890" };
	unsigned status = 77;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(grpc_status(bad[i], strlen(bad[i]), &status), "%s", bad[i]);
	cr_assert_eq(status, 77);
	cr_assert(grpc_status("0", 1, &status) && status == 0);
	cr_assert(grpc_status("16", 2, &status) && status == 16);
	cr_assert(grpc_status("999999999", 9, &status) && status == 999999999);
}

Test(grpc_text, statuses_have_names)
{
	cr_assert_str_eq(grpc_status_name(0), "OK");
	cr_assert_str_eq(grpc_status_name(8), "RESOURCE_EXHAUSTED");
	cr_assert_str_eq(grpc_status_name(16), "UNAUTHENTICATED");
	cr_assert_str_eq(grpc_status_name(17), "?");
	cr_assert_str_eq(grpc_status_name(UINT32_MAX), "?");
}

static const struct {
	const char *encoded, *plain;
} messages[] = {
	{ "", "" },
	{ "plain text; see --help", "plain text; see --help" },
	{ "caf%C3%A9", "caf\xc3\xa9" },
	{ "100%25 sure%0a", "100% sure\n" },
	{ "%", "%" },
	{ "%2", "%2" },
	{ "%zz", "%zz" },
	{ "%2g", "%2g" },
	{ "%%41", "%A" },
};

Test(grpc_text, message_is_decoded_and_never_read_beyond)
{
	struct guard g = guard_create(MAX_LINE);

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		size_t len = strlen(messages[i].encoded);
		char out[MAX_LINE];
		size_t n = grpc_message(guard_put(&g, messages[i].encoded, len), len, out, sizeof(out));

		cr_assert_str_eq(out, messages[i].plain);
		cr_assert_eq(n, strlen(messages[i].plain));
	}
	guard_destroy(&g);
}

Test(grpc_text, message_is_cut_where_there_is_no_room)
{
	struct guard g = guard_create(MAX_LINE);

	for (size_t size = 1; size < 8; size++) {
		char *out = guard_put(&g, "xxxxxxx", size);
		size_t n = grpc_message("a%62cde", 7, out, size);

		cr_assert_eq(n, size - 1 < 5 ? size - 1 : 5);
		cr_assert_arr_eq(out, "abcde", n);
		cr_assert_eq(out[n], '\0');
	}
	cr_assert_eq(grpc_message("abc", 3, guard_put(&g, "", 0), 0), 0);
	guard_destroy(&g);
}
