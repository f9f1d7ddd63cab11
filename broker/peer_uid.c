#include "peer_uid.h"
#include "peer_table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE_CHUNK ((size_t)8 << 10) /* many times as long as a line */

/* What asking the kernel about a socket came to. */
enum answer {
	ANSWER_FOUND,
	ANSWER_NONE,   /* there is no such socket */
	ANSWER_UNKNOWN /* it cannot be asked like this */
};

/* --- sock_diag --- */

struct diag_request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

union diag_reply {
	struct nlmsghdr head;
	uint8_t bytes[1024];
};

static void
fill_request(const struct peer_ends *ends, struct diag_request *r)
{
	const bool v4 = IN6_IS_ADDR_V4MAPPED(&ends->source) && IN6_IS_ADDR_V4MAPPED(&ends->target);
	const size_t skip = v4 ? 12 : 0;
	struct inet_diag_sockid *id = &r->body.id;

	*r = (struct diag_request){
		.head = { .nlmsg_len = sizeof(*r), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = v4 ? AF_INET : AF_INET6, .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX },
	};
	id->idiag_sport = ends->source_port;
	id->idiag_dport = ends->target_port;
	memcpy(id->idiag_src, &ends->source.s6_addr[skip], sizeof(ends->source) - skip);
	memcpy(id->idiag_dst, &ends->target.s6_addr[skip], sizeof(ends->target) - skip);
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* Sends a request and takes the first message of the answer, which the kernel has made before send() returns. */
static bool
ask(int fd, const struct diag_request *r, union diag_reply *reply)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);

	if (send(fd, r, sizeof(*r), 0) != sizeof(*r))
		return false;
	const ssize_t n = recvfrom(fd, reply, sizeof(*reply), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	return n >= (ssize_t)sizeof(reply->head) && from_len == sizeof(from) && from.nl_pid == 0 &&
	       reply->head.nlmsg_len >= sizeof(reply->head) && reply->head.nlmsg_len <= (size_t)n;
}

static size_t
payload_size(const union diag_reply *reply)
{
	return reply->head.nlmsg_len - NLMSG_HDRLEN;
}

/* ENOENT is said of a missing socket, and of a kernel without this kind of table. A search for no state at all ends at once. */
static bool
knows_tcp(int fd, const struct diag_request *r)
{
	struct diag_request none = *r;
	union diag_reply reply;
	int error;

	none.head.nlmsg_flags |= NLM_F_DUMP;
	none.body.idiag_states = 0;
	if (!ask(fd, &none, &reply) || reply.head.nlmsg_type != NLMSG_DONE || payload_size(&reply) < sizeof(error))
		return false;
	memcpy(&error, NLMSG_DATA(&reply.head), sizeof(error));
	return error == 0;
}

static struct in6_addr
diag_host(unsigned family, const __be32 *host)
{
	struct in6_addr v6 = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (family == AF_INET)
		memcpy(&v6.s6_addr[12], host, 4);
	else
		memcpy(&v6, host, sizeof(v6));
	return v6;
}

static void
read_reply(const union diag_reply *reply, struct peer_socket *s)
{
	struct inet_diag_msg m;

	memcpy(&m, NLMSG_DATA(&reply->head), sizeof(m));
	*s = (struct peer_socket){
		.ends = { .source = diag_host(m.idiag_family, m.id.idiag_src),
			  .target = diag_host(m.idiag_family, m.id.idiag_dst),
			  .source_port = m.id.idiag_sport,
			  .target_port = m.id.idiag_dport },
		.state = m.idiag_state,
		.uid = m.idiag_uid,
		.inode = m.idiag_inode,
	};
}

static bool
is_error(const union diag_reply *reply, int error)
{
	struct nlmsgerr e;

	if (reply->head.nlmsg_type != NLMSG_ERROR || payload_size(reply) < sizeof(e))
		return false;
	memcpy(&e, NLMSG_DATA(&reply->head), sizeof(e));
	return e.error == -error;
}

static enum answer
look_up(int fd, const struct peer_ends *ends, struct peer_socket *ret)
{
	struct diag_request r;
	union diag_reply reply;

	fill_request(ends, &r);
	if (!ask(fd, &r, &reply))
		return ANSWER_UNKNOWN;
	if (reply.head.nlmsg_type == SOCK_DIAG_BY_FAMILY && payload_size(&reply) >= sizeof(struct inet_diag_msg)) {
		read_reply(&reply, ret);
		return ANSWER_FOUND;
	}
	return is_error(&reply, ENOENT) && knows_tcp(fd, &r) ? ANSWER_NONE : ANSWER_UNKNOWN;
}

static enum answer
ask_diag(const struct peer_ends *ends, struct peer_socket *ret)
{
	const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	enum answer a;

	if (fd < 0)
		return ANSWER_UNKNOWN;
	a = look_up(fd, ends, ret);
	close(fd);
	return a;
}

/* --- /proc --- */

/* Looks through the whole lines of a text; tells in ret_rest where the last, incomplete one begins. */
static bool
search_lines(struct str text, const struct peer_ends *ends, struct peer_socket *ret, struct str *ret_rest)
{
	const char *end;

	while (text.len > 0 && (end = memchr(text.ptr, '\n', text.len))) {
		const struct str line = { text.ptr, (size_t)(end + 1 - text.ptr) };
		struct peer_socket s;

		if (peer_table_line(line, &s) && peer_ends_equal(&s.ends, ends)) {
			*ret = s;
			return true;
		}
		text = (struct str){ text.ptr + line.len, text.len - line.len };
	}
	*ret_rest = text;
	return false;
}

static bool
search_table(const char *path, const struct peer_ends *ends, struct peer_socket *ret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[TABLE_CHUNK];
	bool found = false;
	size_t held = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while (!found && held < sizeof(chunk) && (n = read(fd, chunk + held, sizeof(chunk) - held)) > 0) {
		struct str rest = { 0 };

		found = search_lines((struct str){ chunk, held + (size_t)n }, ends, ret, &rest);
		if (rest.len > 0)
			memmove(chunk, rest.ptr, rest.len);
		held = rest.len;
	}
	close(fd);
	return found;
}

/* An IPv4 connection of an IPv6 socket is in tcp6. */
static bool
search_tables(const struct peer_ends *ends, struct peer_socket *ret)
{
	return (IN6_IS_ADDR_V4MAPPED(&ends->source) && search_table("/proc/self/net/tcp", ends, ret)) ||
	       search_table("/proc/self/net/tcp6", ends, ret);
}

bool
peer_uid(const struct address *peer, const struct address *local, uid_t *ret, uint32_t *ret_inode)
{
	const struct peer_ends ends = {
		.source = address_host(peer),
		.target = address_host(local),
		.source_port = peer->any.sa_family == AF_INET6 ? peer->v6.sin6_port : peer->v4.sin_port,
		.target_port = local->any.sa_family == AF_INET6 ? local->v6.sin6_port : local->v4.sin_port,
	};
	struct peer_socket s;
	enum answer a = ask_diag(&ends, &s);

	if (a == ANSWER_UNKNOWN && search_tables(&ends, &s))
		a = ANSWER_FOUND;
	/* Where no connection is found sock_diag tells of a listener on the same port. */
	if (a != ANSWER_FOUND || !peer_ends_equal(&s.ends, &ends) || !peer_socket_is_held(&s))
		return false;
	*ret = s.uid;
	*ret_inode = s.inode;
	return true;
}
