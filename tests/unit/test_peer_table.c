#include "guard.h"
#include "peer_table.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct sample {
	const char *line, *source, *target;
	unsigned source_port, target_port, state;
	uid_t uid;
	uint32_t inode;
} samples[] = {
	{ .line = "   2: 0100007F:DF48 0200007F:10DE 01 00000000:00000000 00:00000000 00000000  1000        0 13593 2 "
		  "00000000371604d0"
		  " 20 0 0 10 -1                     \n",
	  .source = "::ffff:127.0.0.1",
	  .target = "::ffff:127.0.0.2",
	  .source_port = 0xdf48,
	  .target_port = 4318,
	  .state = TCP_ESTABLISHED,
	  .uid = 1000,
	  .inode = 13593 },
	{ .line = "12345: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1065 1 "
		  "000000008d6fcb75"
		  " 100 0 0 10 0\n",
	  .source = "::ffff:0.0.0.0",
	  .target = "::ffff:0.0.0.0",
	  .source_port = 2024,
	  .state = TCP_LISTEN,
	  .inode = 1065 },
	{ .line =
	      "   0: 0100007F:9C40 0100007F:10DE 06 00000000:00000000 03:00001770 00000000     0        0 0 3 00000000cafe0001\n",
	  .source = "::ffff:127.0.0.1",
	  .target = "::ffff:127.0.0.1",
	  .source_port = 40000,
	  .target_port = 4318,
	  .state = TCP_TIME_WAIT },
	{ .line =
	      "   1: 00000000000000000000000001000000:C350 00000000000000000000000001000000:10DE 08 00000001:00000000 00:00000000"
	      " 00000000 65534        0 4294967295 1 0000000012345678 20 4 30 10 -1\n",
	  .source = "::1",
	  .target = "::1",
	  .source_port = 50000,
	  .target_port = 4318,
	  .state = TCP_CLOSE_WAIT,
	  .uid = 65534,
	  .inode = UINT32_MAX },
	{ .line =
	      "   7: 0000000000000000FFFF00000100007F:C351 0000000000000000FFFF00000100007F:10DE 01 00000000:00000000 00:00000000"
	      " 00000000 4294967294        0 77 1 0000000012345678 20 4 30 10 -1\n",
	  .source = "::ffff:127.0.0.1",
	  .target = "::ffff:127.0.0.1",
	  .source_port = 50001,
	  .target_port = 4318,
	  .state = TCP_ESTABLISHED,
	  .uid = UINT32_MAX - 1,
	  .inode = 77 },
};

static struct peer_ends
ends_of(const struct sample *s)
{
	struct peer_ends e = { .source_port = htons((uint16_t)s->source_port), .target_port = htons((uint16_t)s->target_port) };

	cr_assert_eq(inet_pton(AF_INET6, s->source, &e.source), 1);
	cr_assert_eq(inet_pton(AF_INET6, s->target, &e.target), 1);
	return e;
}

Test(peer_table, reads_lines_of_both_tables)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct peer_ends expected = ends_of(&samples[i]);
		struct peer_socket s;

		cr_assert(peer_table_line(str_from(samples[i].line), &s), "%zu", i);
		cr_assert(peer_ends_equal(&s.ends, &expected), "%zu", i);
		cr_assert_eq(s.state, samples[i].state, "%zu", i);
		cr_assert_eq(s.uid, samples[i].uid, "%zu", i);
		cr_assert_eq(s.inode, samples[i].inode, "%zu", i);
	}
}

/* No prefix is taken for a socket unless all that matters is in it; and then it is the same socket. */
Test(peer_table, reads_no_half_lines)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct str line = str_from(samples[i].line);
		struct guard g = guard_create(line.len);
		struct peer_socket whole, s;
		size_t taken = 0;

		cr_assert(peer_table_line(line, &whole));
		for (size_t n = 0; n <= line.len; n++) {
			const struct str prefix = { guard_put(&g, line.ptr, n), n };

			memset(&s, 0x5a, sizeof(s));
			if (peer_table_line(prefix, &s)) {
				cr_assert(peer_ends_equal(&s.ends, &whole.ends));
				cr_assert(s.uid == whole.uid && s.inode == whole.inode && s.state == whole.state);
				taken++;
			} else {
				cr_assert_eq(s.uid, 0x5a5a5a5a);
				cr_assert_eq(taken, 0);
			}
		}
		cr_assert_gt(taken, 0);
		guard_destroy(&g);
	}
}

Test(peer_table, refuses_what_is_no_socket)
{
	static const char *const bad[] = {
		"",
		"\n",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode      \n",
		"1: 0100007F:DF48 0100007F:10DE 01 0:0 0:0 0 -1 0 13593 2\n",
		"1: 0100007F:DF48 0100007F:10DE 01 0:0 0:0 0 0x1 0 13593 2\n",
		"1: 0100007F:DF48 0100007F:10DE 01 0:0 0:0 0 4294967296 0 13593 2\n",
		"1: 0100007F:DF48 0100007F:10DE 01 0:0 0:0 0 0 0 4294967296 2\n",
		"1: 0100007F:DF48 0100007F:10DE 01 0:0 0:0 0 0 0 99999999999999999999999999 2\n",
		"1: 0100007F:DF48 0100007F:10DE 0g 0:0 0:0 0 0 0 1 2\n",
		"1: 0100007F:DF4 0100007F:10DE 01 0:0 0:0 0 0 0 1 2\n",
		"1: 0100007F:DF488 0100007F:10DE 01 0:0 0:0 0 0 0 1 2\n",
		"1: 0100007FF:DF48 0100007F:10DE 01 0:0 0:0 0 0 0 1 2\n",
		"1: 0100007F-DF48 0100007F:10DE 01 0:0 0:0 0 0 0 1 2\n",
		"1: 0100007G:DF48 0100007F:10DE 01 0:0 0:0 0 0 0 1 2\n",
		"1: 0100007F:DF48 0100007F:10DG 01 0:0 0:0 0 0 0 1 2\n",
		"1: :DF48 :10DE 01 0:0 0:0 0 0 0 1 2\n",
	};
	struct peer_socket s = { .inode = 4711 };

	for (size_t i = 0; i < COUNT(bad); i++)
		cr_assert_not(peer_table_line(str_from(bad[i]), &s), "%s", bad[i]);
	cr_assert_eq(s.inode, 4711);
}

Test(peer_table, both_ends_must_be_equal)
{
	const struct peer_ends a = ends_of(&samples[0]);
	struct peer_ends b;

	for (size_t i = 0; i < 4; i++) {
		b = a;
		cr_assert(peer_ends_equal(&a, &b));
		if (i < 2)
			(i == 0 ? &b.source : &b.target)->s6_addr[15] ^= 1;
		else
			*(i == 2 ? &b.source_port : &b.target_port) ^= 1;
		cr_assert_not(peer_ends_equal(&a, &b), "%zu", i);
	}
}

Test(peer_table, a_socket_is_held_by_whoever_connected_it)
{
	for (unsigned state = 0; state < 300; state++) {
		const bool connected = state == TCP_ESTABLISHED || state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 ||
				       state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK || state == TCP_CLOSING;

		cr_assert_eq(peer_socket_is_held(&(struct peer_socket){ .state = state, .inode = 1 }), connected, "%u", state);
		cr_assert_not(peer_socket_is_held(&(struct peer_socket){ .state = state }), "%u", state);
	}
}
