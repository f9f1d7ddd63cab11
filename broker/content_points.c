#include "content_points.h"

#include <string.h>

typedef Opentelemetry__Proto__Metrics__V1__NumberDataPoint NumberPoint;
typedef Opentelemetry__Proto__Metrics__V1__HistogramDataPoint HistogramPoint;

/* How many points before it a point is compared with. */
#define COMPARED_MAX 64

/* --- the same attributes --- */

static bool
same_value(const OtlpAnyValue *a, const OtlpAnyValue *b)
{
	if (!a || !b)
		return a == b;
	if (a->value_case != b->value_case)
		return false;
	switch (a->value_case) {
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET:
		return true;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE:
		return strcmp(a->string_value, b->string_value) == 0;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE:
		return a->bool_value == b->bool_value;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE:
		return a->int_value == b->int_value;
	case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE:
		return a->double_value == b->double_value;
	default:
		return false; /* no CLI has lists there */
	}
}

/* One emitter, one order. */
static bool
same_attributes(size_t a_count, OtlpKeyValue *const *a, size_t b_count, OtlpKeyValue *const *b)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++) {
		if (strcmp(a[i]->key, b[i]->key) != 0 || !same_value(a[i]->value, b[i]->value))
			return false;
	}
	return true;
}

/* --- two points into one; false, and nothing changed, where they do not fit --- */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool
add_values(NumberPoint *into, const NumberPoint *p)
{
	int64_t sum;

	if (into->value_case != p->value_case || into->flags != p->flags)
		return false;
	if (into->value_case == OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE) {
		into->as_double += p->as_double;
	} else if (into->value_case == OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_INT) {
		if (__builtin_add_overflow(into->as_int, p->as_int, &sum))
			return false;
		into->as_int = sum;
	}
	return true;
}

static bool
merge_sums(NumberPoint *into, const NumberPoint *p)
{
	if (!same_attributes(into->n_attributes, into->attributes, p->n_attributes, p->attributes) || !add_values(into, p))
		return false;
	into->start_time_unix_nano = earlier(into->start_time_unix_nano, p->start_time_unix_nano);
	into->time_unix_nano = later(into->time_unix_nano, p->time_unix_nano);
	return true;
}

static bool
merge_gauges(NumberPoint *into, const NumberPoint *p)
{
	if (!same_attributes(into->n_attributes, into->attributes, p->n_attributes, p->attributes))
		return false;
	if (p->time_unix_nano >= into->time_unix_nano)
		*into = *p;
	return true;
}

static bool
fits(const HistogramPoint *a, const HistogramPoint *b)
{
	if (a->flags != b->flags || a->sum_presence_case != b->sum_presence_case || a->n_bucket_counts != b->n_bucket_counts ||
	    a->n_explicit_bounds != b->n_explicit_bounds || a->count > UINT64_MAX - b->count)
		return false;
	for (size_t i = 0; i < a->n_explicit_bounds; i++) {
		if (a->explicit_bounds[i] != b->explicit_bounds[i])
			return false;
	}
	for (size_t i = 0; i < a->n_bucket_counts; i++) {
		if (a->bucket_counts[i] > UINT64_MAX - b->bucket_counts[i])
			return false;
	}
	return same_attributes(a->n_attributes, a->attributes, b->n_attributes, b->attributes);
}

/* The smallest and the largest are known where both points tell them. */
static void
merge_extremes(HistogramPoint *into, const HistogramPoint *p)
{
	if (!into->min_presence_case || !p->min_presence_case)
		into->min_presence_case = OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT__MIN_PRESENCE__NOT_SET;
	else if (p->min < into->min)
		into->min = p->min;
	if (!into->max_presence_case || !p->max_presence_case)
		into->max_presence_case = OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT__MAX_PRESENCE__NOT_SET;
	else if (p->max > into->max)
		into->max = p->max;
}

static bool
merge_histograms(HistogramPoint *into, const HistogramPoint *p)
{
	if (!fits(into, p))
		return false;
	into->start_time_unix_nano = earlier(into->start_time_unix_nano, p->start_time_unix_nano);
	into->time_unix_nano = later(into->time_unix_nano, p->time_unix_nano);
	into->count += p->count;
	if (into->sum_presence_case)
		into->sum += p->sum;
	for (size_t i = 0; i < into->n_bucket_counts; i++)
		into->bucket_counts[i] += p->bucket_counts[i];
	merge_extremes(into, p);
	return true;
}

/* --- all points --- */

/* Each point goes into one before it that takes it, or stays. */
#define MERGE_ALL(data, merge)                                                                                                   \
	do {                                                                                                                     \
		size_t kept_ = 0;                                                                                                \
		for (size_t i_ = 0; i_ < (data)->n_data_points; i_++) {                                                          \
			size_t k_ = kept_ > COMPARED_MAX ? kept_ - COMPARED_MAX : 0;                                             \
			while (k_ < kept_ && !merge((data)->data_points[k_], (data)->data_points[i_]))                           \
				k_++;                                                                                            \
			if (k_ == kept_)                                                                                         \
				(data)->data_points[kept_++] = (data)->data_points[i_];                                          \
		}                                                                                                                \
		(data)->n_data_points = kept_;                                                                                   \
	} while (0)

void
content_merge_points(Opentelemetry__Proto__Metrics__V1__Metric *m)
{
	if (m->data_case == OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM)
		MERGE_ALL(m->sum, merge_sums);
	else if (m->data_case == OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE)
		MERGE_ALL(m->gauge, merge_gauges);
	else if (m->data_case == OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM)
		MERGE_ALL(m->histogram, merge_histograms);
}
