#include "content.h"
#include "otlp_json.h"

#include <criterion/criterion.h>
#include <stdio.h>

typedef Opentelemetry__Proto__Metrics__V1__Metric Metric;

static struct arena arena;
static char body[1 << 16];

static void
setup(void)
{
	arena_init(&arena, 16 << 20);
}

static void
teardown(void)
{
	arena_finish(&arena);
}

TestSuite(content_points, .init = setup, .fini = teardown);

/* The metric of that type and points, without its content. */
static Metric *
drop(const char *type, const char *points)
{
	struct otlp_request req;
	size_t dropped;

	snprintf(body, sizeof(body),
		 "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"%s\":{\"dataPoints\":[%s]}}]}]}]}",
		 type, points);
	arena_reset(&arena);
	cr_assert_eq(otlp_json_decode(OTLP_METRICS, body, strlen(body), OTLP_MAX_DEPTH, &arena, &req), VERDICT_OK, "%s", body);
	cr_assert_eq(content_drop(&req, &arena, &dropped), VERDICT_OK);
	return req.metrics->resource_metrics[0]->scope_metrics[0]->metrics[0];
}

#define TEXT(key, value)      "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define OF(model, reason)     "\"attributes\":[" TEXT("model", model) "," TEXT("routing.reasoning", reason) "]"
#define POINT(rest)           "{" rest "}"
#define BETWEEN(start, time)  "\"startTimeUnixNano\":\"" start "\",\"timeUnixNano\":\"" time "\","
#define BUCKETS(counts, more) "\"bucketCounts\":[" counts "],\"explicitBounds\":[1,2]," more

Test(content_points, sums_add_up)
{
	Metric *m =
	    drop("sum", POINT(BETWEEN("5", "9") "\"asInt\":3," OF("a", "x")) "," POINT(BETWEEN("7", "9") "\"asInt\":10," OF(
			    "b", "x")) "," POINT(BETWEEN("2", "8") "\"asInt\":4," OF("a", "y")));

	cr_assert_eq(m->sum->n_data_points, 2);
	cr_assert_eq(m->sum->data_points[0]->as_int, 7);
	cr_assert_eq(m->sum->data_points[0]->start_time_unix_nano, 2);
	cr_assert_eq(m->sum->data_points[0]->time_unix_nano, 9);
	cr_assert_str_eq(m->sum->data_points[0]->attributes[0]->value->string_value, "a");
	cr_assert_eq(m->sum->data_points[1]->as_int, 10);
	m = drop("sum", POINT("\"asDouble\":0.5," OF("a", "x")) "," POINT("\"asDouble\":0.25," OF("a", "y")));
	cr_assert_eq(m->sum->n_data_points, 1);
	cr_assert_eq(m->sum->data_points[0]->as_double, 0.75);
}

Test(content_points, of_gauges_the_newest_stays)
{
	Metric *m =
	    drop("gauge", POINT(BETWEEN("0", "5") "\"asInt\":3," OF("a", "x")) "," POINT(BETWEEN("0", "9") "\"asInt\":10," OF(
			      "a", "y")) "," POINT(BETWEEN("0", "8") "\"asInt\":4," OF("a", "z")));

	cr_assert_eq(m->gauge->n_data_points, 1);
	cr_assert_eq(m->gauge->data_points[0]->as_int, 10);
	cr_assert_eq(m->gauge->data_points[0]->time_unix_nano, 9);
}

Test(content_points, histograms_add_up)
{
	Metric *m = drop(
	    "histogram",
	    POINT(BETWEEN("5", "9") "\"count\":3,\"sum\":4," BUCKETS("1,2,0", "\"min\":1,\"max\":2,") OF("a", "x")) "," POINT(
		BETWEEN("4", "9") "\"count\":2,\"sum\":9," BUCKETS("0,1,1", "\"min\":0.5,\"max\":7,") OF("a", "y")));
	const Opentelemetry__Proto__Metrics__V1__HistogramDataPoint *p = m->histogram->data_points[0];

	cr_assert_eq(m->histogram->n_data_points, 1);
	cr_assert_eq(p->start_time_unix_nano, 4);
	cr_assert_eq(p->count, 5);
	cr_assert_eq(p->sum, 13);
	cr_assert(p->bucket_counts[0] == 1 && p->bucket_counts[1] == 3 && p->bucket_counts[2] == 1);
	cr_assert(p->min == 0.5 && p->max == 7);
	m = drop("histogram", POINT("\"count\":3," BUCKETS("1,2,0", "\"min\":1,")
					OF("a", "x")) "," POINT("\"count\":2," BUCKETS("0,1,1", "\"max\":7,") OF("a", "y")));
	cr_assert_eq(m->histogram->n_data_points, 1);
	cr_assert_eq(m->histogram->data_points[0]->min_presence_case, 0, "one of them did not tell");
	cr_assert_eq(m->histogram->data_points[0]->max_presence_case, 0);
}

Test(content_points, what_does_not_fit_stays_apart)
{
	static const struct {
		const char *what, *type, *points;
	} cases[] = {
		{ "nothing was dropped", "sum",
		  "{\"asInt\":1,\"attributes\":[" TEXT("model", "a") "]},{\"asInt\":1,\"attributes\":[" TEXT("model", "a") "]}" },
		{ "other attributes", "sum", POINT("\"asInt\":1," OF("a", "x")) "," POINT("\"asInt\":1," OF("b", "x")) },
		{ "fewer attributes", "sum", POINT("\"asInt\":1," OF("a", "x")) "," POINT("\"asInt\":1") },
		{ "other types of attributes", "sum",
		  POINT("\"asInt\":1," OF(
		      "1", "x")) ",{\"asInt\":1,\"attributes\":[{\"key\":\"model\",\"value\":{\"intValue\":1}}]}" },
		{ "other types of numbers", "sum", POINT("\"asInt\":1," OF("a", "x")) "," POINT("\"asDouble\":1," OF("a", "y")) },
		{ "too large a sum", "sum",
		  POINT("\"asInt\":\"9223372036854775807\"," OF("a", "x")) "," POINT("\"asInt\":1," OF("a", "y")) },
		{ "other flags", "sum", POINT("\"asInt\":1," OF("a", "x")) "," POINT("\"asInt\":1,\"flags\":1," OF("a", "y")) },
		{ "other bounds", "histogram",
		  POINT(BUCKETS("1,0,0", OF("a", "x"))) ",{\"bucketCounts\":[1,0,0],\"explicitBounds\":[1,3]," OF("a", "y") "}" },
		{ "fewer buckets", "histogram", POINT(BUCKETS("1,0,0", OF("a", "x"))) "," POINT(OF("a", "y")) },
		{ "too large a count", "histogram",
		  POINT("\"count\":\"18446744073709551615\"," OF("a", "x")) "," POINT("\"count\":1," OF("a", "y")) },
		{ "too large a bucket", "histogram",
		  POINT(BUCKETS("\"18446744073709551615\",0,0", OF("a", "x"))) "," POINT(BUCKETS("1,0,0", OF("a", "y"))) },
		{ "a sum in one only", "histogram", POINT("\"sum\":1," OF("a", "x")) "," POINT(OF("a", "y")) },
		{ "summaries", "summary", POINT(OF("a", "x")) "," POINT(OF("a", "y")) },
		{ "exponential ones", "exponentialHistogram", POINT(OF("a", "x")) "," POINT(OF("a", "y")) },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Metric *m = drop(cases[i].type, cases[i].points);

		/* All kinds of data begin alike, behind what all messages begin with: with the number of points. */
		cr_assert_eq(m->sum->n_data_points, 2, "%s", cases[i].what);
	}
}
