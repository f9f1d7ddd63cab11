/*
 * Points of a metric that nothing tells apart any more, once attributes are gone: a backend would take them for one that
 * contradicts itself. Pure.
 */
#ifndef AGENTBUS_CONTENT_POINTS_H
#define AGENTBUS_CONTENT_POINTS_H

#include "otlp.h"

/*
 * Makes one point of those with the same attributes: sums and histograms (of the same bounds) add up, of gauges the newest
 * stays. The first one's place stays, of exemplars those of one point. Exponential histograms and summaries stay as they
 * are, and so do points whose numbers do not fit together. Linear in the points, a few dozen different ones assumed.
 */
void content_merge_points(Opentelemetry__Proto__Metrics__V1__Metric *m);

#endif
