#include "verdict.h"

#include <criterion/criterion.h>
#include <string.h>

Test(verdict, each_has_statuses_and_a_text)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		unsigned http = verdict_http_status(v), grpc = verdict_grpc_status(v);

		cr_assert(http == 200 || (http >= 400 && http < 600), "%u", v);
		cr_assert_eq(http == 200, grpc == 0, "%u", v);
		cr_assert_leq(grpc, 16);
		cr_assert_gt(strlen(verdict_text(v)), 0);
	}
}

Test(verdict, exporters_retry_only_what_may_get_better)
{
	cr_assert_eq(verdict_http_status(VERDICT_BUSY), 503);
	cr_assert_eq(verdict_grpc_status(VERDICT_BUSY), 14);
	cr_assert_eq(verdict_http_status(VERDICT_MALFORMED), 400);
	cr_assert_eq(verdict_grpc_status(VERDICT_MALFORMED), 3);
	cr_assert_eq(verdict_http_status(VERDICT_TOO_LARGE), 413);
}
