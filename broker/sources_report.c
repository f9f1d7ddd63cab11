#include "sources_report.h"

#include "agentbus/v1/agentbus.pb-c.h"

bool
sources_report(const struct sources *s, const char *addresses, struct buf *out)
{
	Agentbus__V1__Source rows[SOURCES_PROVIDERS_MAX * SOURCE_KIND_COUNT], *list[SOURCES_PROVIDERS_MAX * SOURCE_KIND_COUNT];
	Agentbus__V1__Sources report = AGENTBUS__V1__SOURCES__INIT;

	report.sources = list;
	report.addresses = (char *)addresses;
	for (size_t i = 0; i < SOURCES_PROVIDERS_MAX && providers[i]; i++)
		for (enum source_kind kind = 0; kind < SOURCE_KIND_COUNT; kind++) {
			Agentbus__V1__Source *row = &rows[report.n_sources];

			if (s->of[i][kind].count == 0)
				continue;
			agentbus__v1__source__init(row);
			row->provider = (char *)providers[i]->name;
			row->kind = (char *)sources_kind(kind);
			row->count = s->of[i][kind].count;
			row->last_unix_nano = s->of[i][kind].last_ns;
			list[report.n_sources++] = row;
		}
	if (!buf_reserve(out, agentbus__v1__sources__get_packed_size(&report)))
		return false;
	out->len += agentbus__v1__sources__pack(&report, out->bytes + out->len);
	return true;
}
