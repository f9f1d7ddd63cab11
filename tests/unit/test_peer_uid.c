/*
 * Real connections over loopback: by sock_diag, and again where a filter of system calls leaves only /proc.
 */
#include "peer_uid.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 65534

/*
 * Which addresses the two sides use. A listener on [::] sees IPv4 clients as ::ffff:a.b.c.d. No pointers: Criterion carries
 * this from one process to another.
 */
struct way {
	char listen[16], connect[32];
	bool only_proc;
};

struct link {
	int listener, client, server;
	struct address peer, local;
};

static struct address
parse(const char *text)
{
	struct address a;

	cr_assert(address_parse(text, &a));
	return a;
}

static in_port_t *
port_of(struct address *a)
{
	return a->any.sa_family == AF_INET6 ? &a->v6.sin6_port : &a->v4.sin_port;
}

static void
open_listener(struct link *l, const char *text)
{
	struct address a = parse(text);
	const int off = 0;

	l->listener = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->listener < 0 && errno == EAFNOSUPPORT)
		cr_skip_test("no IPv6 on this machine");
	if (a.any.sa_family == AF_INET6)
		setsockopt(l->listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(l->listener, &a.any, a.len) != 0 && errno == EADDRNOTAVAIL)
		cr_skip_test("no IPv6 on this machine");
	cr_assert_eq(listen(l->listener, 8), 0);
}

static int
connect_to(const struct link *l, const char *text)
{
	struct address bound = { .len = sizeof(bound.v6) }, to = parse(text);
	const int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (getsockname(l->listener, &bound.any, &bound.len) != 0)
		return -1;
	*port_of(&to) = *port_of(&bound);
	return fd >= 0 && connect(fd, &to.any, to.len) == 0 ? fd : -1;
}

static void
accept_link(struct link *l)
{
	l->peer.len = l->local.len = sizeof(l->peer.v6);
	l->server = accept(l->listener, &l->peer.any, &l->peer.len);
	cr_assert_geq(l->server, 0);
	cr_assert_eq(getsockname(l->server, &l->local.any, &l->local.len), 0);
}

/* Lets socket(AF_NETLINK, …) fail from here on. The architecture is not looked at: nothing here calls a foreign one. */
static void
forbid_netlink(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof(rules) / sizeof(rules[0]), .filter = rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		cr_skip_test("no seccomp on this machine");
	cr_assert_lt(socket(AF_NETLINK, SOCK_DGRAM, 0), 0);
}

static struct link
open_link(const struct way *w)
{
	struct link l;

	if (w->only_proc)
		forbid_netlink();
	open_listener(&l, w->listen);
	l.client = connect_to(&l, w->connect);
	cr_assert_geq(l.client, 0);
	accept_link(&l);
	return l;
}

static void
close_link(struct link *l)
{
	close(l->server);
	close(l->client);
	close(l->listener);
}

static struct way ways[] = {
	{ "127.0.0.1:0", "127.0.0.1:0", false },
	{ "[::1]:0", "[::1]:0", false },
	{ "[::]:0", "127.0.0.1:0", false },               /* mapped for us alone */
	{ "[::]:0", "[::ffff:127.0.0.1]:0", false },      /* mapped on both sides */
	{ "127.0.0.1:0", "[::ffff:127.0.0.1]:0", false }, /* mapped for the peer alone */
	{ "127.0.0.1:0", "127.0.0.1:0", true },
	{ "[::1]:0", "[::1]:0", true },
	{ "[::]:0", "127.0.0.1:0", true },
	{ "[::]:0", "[::ffff:127.0.0.1]:0", true },
	{ "127.0.0.1:0", "[::ffff:127.0.0.1]:0", true },
};

#define WAYS(name)                                                                                                               \
	ParameterizedTestParameters(peer_uid, name)                                                                              \
	{                                                                                                                        \
		return cr_make_param_array(struct way, ways, sizeof(ways) / sizeof(ways[0]));                                    \
	}                                                                                                                        \
	ParameterizedTest(struct way *w, peer_uid, name)

WAYS(finds_our_own_uid)
{
	struct link l = open_link(w);
	uid_t uid = OTHER_USER;
	uint32_t inode = 0;

	cr_assert(peer_uid(&l.peer, &l.local, &uid, &inode), "%s", w->connect);
	cr_assert_eq(uid, getuid());
	/* Half closed is still held. */
	cr_assert_eq(shutdown(l.client, SHUT_WR), 0);
	uid = OTHER_USER;
	cr_assert(peer_uid(&l.peer, &l.local, &uid, &inode));
	cr_assert_eq(uid, getuid());
	close_link(&l);
}

WAYS(knows_nothing_of_other_ports_and_addresses)
{
	struct link l = open_link(w);
	struct address other;
	uid_t uid = OTHER_USER;
	uint32_t inode = 0;

	other = l.peer;
	*port_of(&other) = htons((uint16_t)(ntohs(*port_of(&other)) + 1));
	cr_assert_not(peer_uid(&other, &l.local, &uid, &inode));
	other = l.local;
	*port_of(&other) = htons((uint16_t)(ntohs(*port_of(&other)) + 1));
	cr_assert_not(peer_uid(&l.peer, &other, &uid, &inode));
	other = l.peer;
	((uint8_t *)(other.any.sa_family == AF_INET6 ? (void *)&other.v6.sin6_addr : (void *)&other.v4.sin_addr))[3] ^= 2;
	cr_assert_not(peer_uid(&other, &l.local, &uid, &inode));
	/* The listener has the same port, and is nobody's connection. */
	other = l.local;
	*port_of(&other) = htons(1);
	cr_assert_not(peer_uid(&l.local, &other, &uid, &inode));
	cr_assert_eq(uid, OTHER_USER);
	close_link(&l);
}

WAYS(cannot_tell_once_the_peer_has_closed)
{
	struct link l = open_link(w);
	uid_t uid = OTHER_USER;
	uint32_t inode = 0;

	close(l.client);
	cr_assert_not(peer_uid(&l.peer, &l.local, &uid, &inode)); /* FIN_WAIT2, orphaned */
	close(l.server);
	cr_assert_not(peer_uid(&l.peer, &l.local, &uid, &inode)); /* TIME_WAIT */
	cr_assert_eq(uid, OTHER_USER);
	close(l.listener);
}

/* Connects as another user and holds the connection until it is closed here. */
static void
live_as_other_user(const struct link *l, const char *text)
{
	struct pollfd p = { .events = POLLIN };

	if (setgid(OTHER_USER) != 0 || setuid(OTHER_USER) != 0)
		_exit(1);
	p.fd = connect_to(l, text);
	_exit(p.fd < 0 || poll(&p, 1, 10000) != 1);
}

WAYS(finds_another_user)
{
	struct link l;
	uid_t uid = 0;
	uint32_t inode = 0;
	int status;

	if (geteuid() != 0)
		cr_skip_test("only root can connect as another user");
	if (w->only_proc)
		forbid_netlink();
	open_listener(&l, w->listen);
	const pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0)
		live_as_other_user(&l, w->connect);
	accept_link(&l);
	cr_assert(peer_uid(&l.peer, &l.local, &uid, &inode), "%s", w->connect);
	cr_assert_eq(uid, OTHER_USER);
	close(l.server);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	close(l.listener);
}

Test(peer_uid, finds_one_of_many_without_netlink)
{
	enum { MANY = 200 };
	int clients[MANY], servers[MANY];
	struct link l;
	uid_t uid;
	uint32_t inode;

	forbid_netlink();
	open_listener(&l, "127.0.0.1:0");
	for (size_t i = 0; i < MANY; i++) {
		clients[i] = connect_to(&l, "127.0.0.1:0");
		cr_assert_geq(clients[i], 0);
		accept_link(&l);
		servers[i] = l.server;
		uid = OTHER_USER;
		cr_assert(peer_uid(&l.peer, &l.local, &uid, &inode));
		cr_assert_eq(uid, getuid());
	}
	for (size_t i = 0; i < MANY; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	close(l.listener);
}
