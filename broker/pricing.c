#include "pricing.h"

#include "file.h"
#include "prices/price_file.h"
#include "prices/price_shipped.h"

#include <errno.h>

struct passed_on {
	struct price_report report;
	struct config_report *to;
};

static void
pass_on(struct price_report *report, const char *text)
{
	config_complain(((struct passed_on *)report)->to, "%s", text);
}

static bool
read_own(const char *file, struct passed_on *p, struct price_list *ret)
{
	struct buf text = { 0 };
	bool ok = false;

	if (*file == '\0')
		return true;
	if (!file_read(file, PRICE_FILE_MAX, &text))
		config_complain(p->to, "%s: %s", file, strerror(errno));
	else
		ok = price_file_parse((const char *)text.bytes, text.len, file, &p->report, ret);
	buf_finish(&text);
	return ok;
}

struct price_table *
pricing_load(const char *file, struct config_report *report)
{
	struct passed_on p = { .report.line = pass_on, .to = report };
	struct price_list shipped = { 0 }, own = { 0 };
	struct price_table *table = NULL;

	if (price_file_parse((const char *)price_shipped, price_shipped_size, "built-in prices", &p.report, &shipped) &&
	    read_own(file, &p, &own)) {
		table = price_table_create(&shipped, &own);
		if (!table)
			config_complain(report, "no memory for prices");
	}
	price_list_finish(&shipped);
	price_list_finish(&own);
	return table;
}
