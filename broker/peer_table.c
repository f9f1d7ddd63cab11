#include "peer_table.h"

#include <netinet/tcp.h>

/* Not SYN_SENT: what is accepted here has been answered there. Nor TIME_WAIT, CLOSE and LISTEN: nobody's connection. */
#define CONNECTED                                                                                                                \
	(1u << TCP_ESTABLISHED | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK |         \
	 1u << TCP_CLOSING)

bool
peer_ends_equal(const struct peer_ends *a, const struct peer_ends *b)
{
	return a->source_port == b->source_port && a->target_port == b->target_port &&
	       IN6_ARE_ADDR_EQUAL(&a->source, &b->source) && IN6_ARE_ADDR_EQUAL(&a->target, &b->target);
}

bool
peer_socket_is_held(const struct peer_socket *s)
{
	return s->inode != 0 && s->state < 32 && (CONNECTED >> s->state & 1) != 0;
}

/* Takes the next word off a line; it is empty at the end. */
static struct str
next_word(struct str *rest)
{
	struct str word;

	while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == '\n'))
		*rest = (struct str){ rest->ptr + 1, rest->len - 1 };
	word = (struct str){ rest->ptr, 0 };
	while (word.len < rest->len && word.ptr[word.len] != ' ' && word.ptr[word.len] != '\n')
		word.len++;
	*rest = (struct str){ rest->ptr + word.len, rest->len - word.len };
	return word;
}

/* The value of a digit, or a number above 15. */
static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static bool
read_number(struct str s, unsigned base, uint32_t *ret)
{
	uint64_t n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const unsigned digit = digit_value(s.ptr[i]);

		if (digit >= base)
			return false;
		n = n * base + digit;
		if (n > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

/* The kernel prints an address as numbers of 32 bits in the machine's own order: one, or four of them. */
static bool
read_end(struct str s, struct in6_addr *ret_host, in_port_t *ret_port)
{
	struct in6_addr host = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	const size_t digits = s.len >= 5 ? s.len - 5 : 0; /* a colon and four digits follow */
	uint32_t word, port;

	if ((digits != 8 && digits != 32) || s.ptr[digits] != ':')
		return false;
	for (size_t i = 0; i < digits; i += 8) {
		if (!read_number((struct str){ s.ptr + i, 8 }, 16, &word))
			return false;
		memcpy(&host.s6_addr[digits == 8 ? 12 : i / 2], &word, sizeof(word));
	}
	if (!read_number((struct str){ s.ptr + digits + 1, 4 }, 16, &port))
		return false;
	*ret_host = host;
	*ret_port = htons((uint16_t)port);
	return true;
}

/* sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode … */
bool
peer_table_line(struct str line, struct peer_socket *ret)
{
	enum { SLOT, SOURCE, TARGET, STATE, QUEUES, TIMER, RETRANSMITS, UID, TIMEOUT, INODE, WORD_COUNT };
	struct str words[WORD_COUNT];
	struct peer_socket s;
	uint32_t state, uid;

	for (size_t i = 0; i < WORD_COUNT; i++)
		words[i] = next_word(&line);
	/* Without a byte behind it the last word may be half a number. */
	if (line.len == 0 || !read_end(words[SOURCE], &s.ends.source, &s.ends.source_port) ||
	    !read_end(words[TARGET], &s.ends.target, &s.ends.target_port) || !read_number(words[STATE], 16, &state) ||
	    !read_number(words[UID], 10, &uid) || !read_number(words[INODE], 10, &s.inode))
		return false;
	s.state = state;
	s.uid = (uid_t)uid;
	*ret = s;
	return true;
}
