#include "forward_pack.h"

#define GZIP_WINDOW (15 + 16) /* the largest window; 16 more is gzip's head */
#define LEVEL       1         /* telemetry repeats itself: the cheapest level already leaves a tenth of it */
#define MEMORY      8
#define TAIL_SIZE   64 /* room for what ends a stream, again and again until it fits */

bool
forward_pack_begin(struct forward_pack *p, bool gzip)
{
	p->row.len = p->taken = p->body.len = p->total = 0;
	p->gzip = gzip;
	p->stream = (z_stream){ 0 };
	p->open = !gzip || deflateInit2(&p->stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
	return p->open;
}

bool
forward_pack_hungry(const struct forward_pack *p)
{
	return p->taken == p->row.len;
}

/* Compresses until all of the input is taken, or to the end of the stream. */
static bool
compress_more(struct forward_pack *p, const uint8_t *bytes, size_t len, int flush)
{
	int code = Z_OK;

	p->stream.next_in = (uint8_t *)bytes;
	p->stream.avail_in = (uInt)len;
	do {
		if (!buf_reserve(&p->body, len / 4 + TAIL_SIZE))
			return false;
		p->stream.next_out = p->body.bytes + p->body.len;
		p->stream.avail_out = (uInt)(p->body.size - p->body.len);
		code = deflate(&p->stream, flush);
		p->body.len = p->body.size - p->stream.avail_out;
	} while (code == Z_OK && (p->stream.avail_in > 0 || p->stream.avail_out == 0 || flush == Z_FINISH));
	/* Z_BUF_ERROR: there was nothing left to do. */
	return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR;
}

bool
forward_pack_step(struct forward_pack *p)
{
	const uint8_t *bytes = p->row.bytes + p->taken;
	const size_t left = p->row.len - p->taken, len = left < FORWARD_PACK_PIECE ? left : FORWARD_PACK_PIECE;

	if (!(p->gzip ? compress_more(p, bytes, len, Z_NO_FLUSH) : buf_append(&p->body, bytes, len)))
		return false;
	p->taken += len;
	p->total += len;
	if (forward_pack_hungry(p))
		p->row.len = p->taken = 0;
	return true;
}

static void
close_stream(struct forward_pack *p)
{
	if (p->open && p->gzip)
		deflateEnd(&p->stream);
	p->open = false;
}

bool
forward_pack_end(struct forward_pack *p)
{
	const bool ok = !p->gzip || compress_more(p, NULL, 0, Z_FINISH);

	close_stream(p);
	buf_finish(&p->row);
	p->taken = 0;
	return ok;
}

void
forward_pack_finish(struct forward_pack *p)
{
	close_stream(p);
	buf_finish(&p->row);
	buf_finish(&p->body);
	p->taken = p->total = 0;
}
