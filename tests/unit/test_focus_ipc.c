/* Where an answer ends, whatever pieces it comes in; and peers that answer late, too much, or nothing. */
#include "agentbus/focus_ipc.h"
#include "agentbus/focus_time.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char i3[] = "i3-ipc\x05\0\0\0\x04\0\0\0{\"a\"}more";

Test(focus_ipc, every_prefix)
{
	static const char line[] = "{\"Ok\":1}\nmore";
	size_t body, len;

	for (size_t n = 0; n < sizeof(i3); n++)
		cr_expect_eq(focus_ipc_whole(FRAMING_I3, i3, n, false, &body, &len), n >= 19 ? WHOLE_YES : WHOLE_NOT_YET, "%zu",
			     n);
	focus_ipc_whole(FRAMING_I3, i3, 19, false, &body, &len);
	cr_expect(body == 14 && len == 5);
	cr_expect_eq(focus_ipc_whole(FRAMING_I3, i3, 18, true, &body, &len), WHOLE_NEVER);
	for (size_t n = 0; n < sizeof(line); n++)
		cr_expect_eq(focus_ipc_whole(FRAMING_LINE, line, n, false, &body, &len), n >= 9 ? WHOLE_YES : WHOLE_NOT_YET,
			     "%zu", n);
	cr_expect(body == 0 && len == 8);
	cr_expect_eq(focus_ipc_whole(FRAMING_LINE, line, 5, true, &body, &len), WHOLE_YES, "the last line may lack its end");
	cr_expect_eq(focus_ipc_whole(FRAMING_LINE, line, 0, true, &body, &len), WHOLE_NEVER);
	cr_expect_eq(focus_ipc_whole(FRAMING_END, "ok", 2, false, &body, &len), WHOLE_NOT_YET);
	cr_expect_eq(focus_ipc_whole(FRAMING_END, "ok", 2, true, &body, &len), WHOLE_YES);
	cr_expect_eq(focus_ipc_whole(FRAMING_END, "", 0, true, &body, &len), WHOLE_NEVER);
}

Test(focus_ipc, what_is_no_answer)
{
	size_t body, len;

	cr_expect_eq(focus_ipc_whole(FRAMING_I3, "i3x", 3, false, &body, &len), WHOLE_NEVER);
	cr_expect_eq(focus_ipc_whole(FRAMING_I3, "i3-ipc\xff\xff\xff\xff\4\0\0\0", 14, false, &body, &len), WHOLE_NEVER,
		     "too long");
}

/* --- with a peer --- */

struct peer {
	char path[64];
	int fd;
	const char *answer;
	size_t len, piece; /* of the answer at a time */
	size_t repeat;     /* so many answers */
	bool stays;
	char heard[256];
};

static void *
serve(void *arg)
{
	struct peer *p = arg;
	const int fd = accept(p->fd, NULL, NULL);
	const ssize_t n = recv(fd, p->heard, sizeof(p->heard) - 1, 0);

	cr_assert_gt(n, 0);
	for (size_t i = 0; i < p->repeat; i++)
		for (size_t at = 0; at < p->len; at += p->piece)
			if (send(fd, p->answer + at, p->len - at < p->piece ? p->len - at : p->piece, MSG_NOSIGNAL) < 0)
				break;
	char rest;
	while (p->stays && recv(fd, &rest, 1, 0) > 0)
		;
	close(fd);
	return NULL;
}

static bool
ask_peer(struct peer *p, enum focus_framing framing, const char *request, char **ret_text, size_t *ret_len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;

	snprintf(p->path, sizeof(p->path), "/tmp/agentbus-test-%d.sock", (int)getpid());
	strcpy(address.sun_path, p->path);
	unlink(p->path);
	p->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(p->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(p->fd, 1), 0);
	cr_assert_eq(pthread_create(&thread, NULL, serve, p), 0);
	const bool ok = focus_ipc_ask(p->path, framing, 4, request, ret_text, ret_len);
	pthread_join(thread, NULL);
	close(p->fd);
	unlink(p->path);
	return ok;
}

Test(focus_ipc, asks_and_hears, .timeout = 20)
{
	struct peer sway = { .answer = i3, .len = 19, .piece = 1, .repeat = 1, .stays = true };
	struct peer hyprland = { .answer = "[{}]", .len = 4, .piece = 3, .repeat = 1 };
	struct peer niri = { .answer = "{}\n", .len = 3, .piece = 1, .repeat = 1, .stays = true };
	char *text = NULL;
	size_t len = 0;

	cr_assert(ask_peer(&sway, FRAMING_I3, "do", &text, &len));
	cr_expect_str_eq(text, "{\"a\"}");
	cr_expect_eq(len, 5);
	cr_expect_eq(memcmp(sway.heard, "i3-ipc\2\0\0\0\4\0\0\0", 14), 0);
	free(text);
	cr_assert(ask_peer(&hyprland, FRAMING_END, "j/clients", &text, &len));
	cr_expect_str_eq(text, "[{}]");
	cr_expect_str_eq(hyprland.heard, "j/clients");
	free(text);
	cr_assert(ask_peer(&niri, FRAMING_LINE, "\"Windows\"", &text, &len));
	cr_expect_str_eq(text, "{}");
	free(text);
}

Test(focus_ipc, peers_that_are_of_no_use, .timeout = 20)
{
	static char block[1 << 16];
	struct peer mute = { .stays = true }, gone = { 0 };
	struct peer endless = { .answer = block, .len = sizeof(block), .piece = sizeof(block), .repeat = 1000 };
	const int64_t begin = focus_time_ms();
	char *text = NULL;
	size_t len = 0;

	memset(block, 'x', sizeof(block));
	cr_expect_not(ask_peer(&mute, FRAMING_I3, "x", &text, &len));
	cr_expect_not(ask_peer(&gone, FRAMING_END, "x", &text, &len));
	cr_expect_not(ask_peer(&endless, FRAMING_LINE, "x", &text, &len));
	cr_expect_not(focus_ipc_ask("/nonexistent/socket", FRAMING_I3, 4, "", &text, &len));
	cr_expect_not(focus_ipc_ask("", FRAMING_I3, 4, "", &text, &len));
	cr_expect_null(text);
	cr_expect_lt(focus_time_ms() - begin, 5000, "a second each at most");
}
