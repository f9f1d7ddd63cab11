/* Sessions and a machine that is made up: its processes, connections and repositories. */
#include "session_bed.h"
#include "session_table.h"

#include <string.h>

static struct machine {
	struct session_host host;
	struct process of_peer[16]; /* by connection; pid 0: nobody knows */
	unsigned asked;
	uint32_t claimed;
	enum process_life life;
	struct repository repository; /* name "": none */
	unsigned looked;
	char dir[256];
} machine;

static const struct process *
process_of(struct session_host *host, uint32_t claimed, uint64_t peer)
{
	(void)host;
	machine.asked++;
	machine.claimed = claimed;
	return machine.of_peer[peer].pid ? &machine.of_peer[peer] : NULL;
}

static enum process_life
life_of(struct session_host *host, uint32_t pid, uint64_t birth)
{
	(void)host, (void)pid, (void)birth;
	return machine.life;
}

static bool
repository_of(struct session_host *host, const char *dir, struct repository *ret)
{
	(void)host;
	machine.looked++;
	snprintf(machine.dir, sizeof(machine.dir), "%s", dir);
	if (machine.repository.name[0] == '\0')
		return false;
	*ret = machine.repository;
	return true;
}

static void
setup_machine(void)
{
	setup();
	machine = (struct machine){ .host = { process_of, life_of, repository_of } };
	sessions_set_host(f->sessions, &machine.host);
}

TestSuite(session_process, .init = setup_machine, .fini = teardown);

static struct process
process(uint32_t pid)
{
	struct process p = { .pid = pid, .birth = 1000 + pid, .watched = true, .dir = "/home/dev/shop" };

	snprintf(p.tty, sizeof(p.tty), "/dev/pts/%u", pid);
	snprintf(p.tmux_pane, sizeof(p.tmux_pane), "%%%u", pid);
	snprintf(p.window, sizeof(p.window), "x11:%u", pid);
	return p;
}

static struct observation
from(struct observation o, uint64_t peer)
{
	o.peer = peer;
	return o;
}

static void
end_process(uint32_t pid, uint64_t ms)
{
	sessions_process_ended(f->sessions, pid, 1000 + pid, T0 + ms * 1000000);
	cr_assert_leq(sessions_deadline(f->sessions), T0 + ms * 1000000);
	tick_at(ms);
}

Test(session_process, tells_where_the_session_is)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	cr_expect_eq(get("a")->pid, 7);
	cr_expect_str_eq(get("a")->tty, "/dev/pts/7");
	cr_expect_str_eq(get("a")->tmux_pane, "%7");
	cr_expect_str_eq(get("a")->window, "x11:7");
	cr_expect_str_eq(get("a")->project_dir, "/home/dev/shop");
	cr_expect_str_eq(get("a")->project_name, "shop");
}

Test(session_process, may_be_found_later)
{
	const struct process p = process(7);

	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	cr_expect_eq(get("a")->pid, 0);
	sessions_process_found(f->sessions, 2, &p, T0 + S);
	cr_expect_eq(get("a")->pid, 0, "another connection's");
	sessions_process_found(f->sessions, 1, &p, T0 + S);
	cr_expect_eq(get("a")->pid, 7);
	cr_expect_str_eq(get("a")->tty, "/dev/pts/7");
}

Test(session_process, its_end_is_the_sessions)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	end_process(7, 4000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(get("a")->evidence, EVIDENCE_TOLD);
	cr_expect_str_eq(get("a")->reason, "exit");
	cr_expect_eq(f->seen[f->count - 2].state, SESSION_COMPLETED, "the turn that ran is over, too");
	cr_expect_eq(f->seen[f->count - 2].turn_ns, 3 * S);
	cr_expect_str_eq(f->seen[f->count - 2].reason, "lost", "nobody has said that it was done");
	cr_expect_eq(sessions_deadline(f->sessions), NEVER);
}

Test(session_process, what_it_sent_last_counts_and_reopens_nothing)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	end_process(7, 4000);
	see(from(obs(MEANS_RESPONSE, 3990, OBS_OPENS), 1), 20);
	see(from(obs(MEANS_PROMPT, 3995, OBS_COUNTED), 1), 20);
	see(from(obs(MEANS_TURN_END, 3999, OBS_SPAN), 1), 30);
	see(from(obs(MEANS_START, 3999, 0), 1), 30);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(get("a")->requests, 1);
	cr_expect_eq(get("a")->prompts, 2);
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 1);
}

Test(session_process, an_end_told_before_is_told_once)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	see(from(obs(MEANS_END, 3000, OBS_TOLD), 0), 0);
	sessions_process_ended(f->sessions, 7, 1007, T0 + 4 * S);
	tick_at(4000);
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 1);
	cr_expect_str_eq(get("a")->reason, "end");
}

Test(session_process, another_with_its_pid_is_another)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	sessions_process_ended(f->sessions, 7, 1, T0 + 2 * S);
	sessions_process_ended(f->sessions, 8, 1007, T0 + 2 * S);
	tick_at(2000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session_process, all_of_its_sessions_end_with_it)
{
	struct observation other = from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1);

	machine.of_peer[1] = machine.of_peer[2] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	other.session = STR("b");
	see(other, 0);
	other.session = STR("c");
	other.peer = 2;
	see(other, 0);
	end_process(7, 2000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(get("b")->state, SESSION_ENDED);
	cr_expect_eq(get("c")->state, SESSION_ENDED);
}

Test(session_process, keeps_an_idle_session_and_is_no_work)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	see(from(obs(MEANS_TURN_END, 2000, 0), 1), 0);
	sessions_peer_closed(f->sessions, 1, 5, T0 + 3 * S);
	tick_at(40000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
	tick_at(7200000);
	cr_expect_eq(get("a")->state, SESSION_IDLE, "no connection, and a process");
	see(from(obs(MEANS_PROMPT, 7300000, OBS_COUNTED), 0), 0);
	tick_at(7300000 + 700000);
	cr_expect_neq(get("a")->state, SESSION_WORKING, "silence ends a turn all the same");
}

Test(session_process, of_one_that_cannot_be_watched_nothing_is_believed)
{
	machine.of_peer[1] = process(7);
	machine.of_peer[1].watched = false;
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	see(from(obs(MEANS_TURN_END, 2000, 0), 1), 0);
	sessions_peer_closed(f->sessions, 1, 1, T0 + 3 * S);
	tick_at(40000);
	tick_at(7200000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

Test(session_process, a_shared_one_is_nobodys)
{
	const struct process p = process(7);

	machine.of_peer[1] = p;
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED | OBS_SHARED), 1), 0);
	sessions_process_found(f->sessions, 1, &p, T0 + S);
	cr_expect_eq(machine.asked, 0);
	cr_expect_eq(get("a")->pid, 0);
	cr_expect_str_eq(get("a")->tty, "");
	cr_expect_str_eq(get("a")->project_dir, "");
	sessions_process_ended(f->sessions, 7, 1007, T0 + 2 * S);
	tick_at(2000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session_process, a_session_goes_on_in_another)
{
	machine.of_peer[1] = process(7);
	machine.of_peer[2] = process(8);
	strcpy(machine.of_peer[2].tmux_pane, "");
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	see(from(obs(MEANS_PROMPT, 9000, OBS_COUNTED), 2), 0);
	cr_expect_eq(get("a")->pid, 8);
	cr_expect_str_eq(get("a")->tty, "/dev/pts/8");
	cr_expect_str_eq(get("a")->tmux_pane, "", "that of the old one is no more");
	sessions_process_ended(f->sessions, 7, 1007, T0 + 10 * S);
	tick_at(10000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	end_process(8, 11000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

Test(session_process, a_session_comes_back_after_its_end)
{
	machine.of_peer[1] = process(7);
	machine.of_peer[2] = process(8);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	end_process(7, 2000);
	see(from(obs(MEANS_PROMPT, 9000, OBS_COUNTED), 2), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	cr_expect_eq(get("a")->pid, 8);
	end_process(8, 10000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 2);
}

Test(session_process, a_connection_for_each_request_is_not_asked_for_each_time)
{
	machine.of_peer[1] = process(7);
	for (unsigned i = 0; i < 1000; i++) {
		machine.of_peer[i % 16] = process(7);
		see(from(obs(MEANS_ACTIVITY, 1000 + i, OBS_OPENS), i % 16 + (i % 16 == 0)), 0);
		sessions_peer_closed(f->sessions, i % 16 + (i % 16 == 0), 1, T0 + (1000 + i) * 1000000);
	}
	cr_expect_eq(get("a")->pid, 7);
	cr_expect_leq(machine.asked, 2);
	cr_expect_eq(machine.claimed, machine.asked == 1 ? 0 : 7);
}

Test(session_process, what_a_hook_tells_is_preferred)
{
	struct observation hook = obs(MEANS_TURN_START, 1000, OBS_TOLD);

	hook.tty = STR("/dev/pts/1"), hook.tmux_pane = STR("%1"), hook.window = STR("kitty:1"),
	hook.project_dir = STR("/told/here");
	machine.of_peer[1] = process(7);
	see(hook, 0);
	see(from(obs(MEANS_PROMPT, 1001, OBS_COUNTED), 1), 0);
	cr_expect_eq(get("a")->pid, 7);
	cr_expect_str_eq(get("a")->tty, "/dev/pts/1");
	cr_expect_str_eq(get("a")->tmux_pane, "%1");
	cr_expect_str_eq(get("a")->window, "kitty:1");
	cr_expect_str_eq(get("a")->project_dir, "/told/here");
	hook.session = STR("b");
	struct observation first = from(obs(MEANS_PROMPT, 900, OBS_COUNTED), 1);
	first.session = STR("b");
	see(first, 0);
	cr_expect_str_eq(get("b")->project_dir, "/home/dev/shop");
	see(hook, 0);
	cr_expect_str_eq(get("b")->tty, "/dev/pts/1");
	cr_expect_str_eq(get("b")->project_dir, "/told/here", "a found directory is no more than a guess");
	cr_expect_str_eq(get("b")->project_name, "here");
}

Test(session_process, told_by_a_hook)
{
	const struct process p = process(7);
	struct observation hook = obs(MEANS_TURN_START, 1000, OBS_TOLD);

	hook.pid = 7;
	hook.process_told = &p;
	see(hook, 0);
	cr_expect_eq(get("a")->pid, 7);
	cr_expect_str_eq(get("a")->tty, "/dev/pts/7");
	end_process(7, 2000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

Test(session_process, a_pid_that_is_only_claimed_ends_nothing)
{
	struct observation hook = obs(MEANS_TURN_START, 1000, OBS_TOLD);

	hook.pid = 7;
	see(hook, 0);
	cr_expect_eq(get("a")->pid, 7);
	sessions_process_ended(f->sessions, 7, 1007, T0 + 2 * S);
	tick_at(2000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session_process, a_new_start_replaces_the_others_of_its_process)
{
	struct observation start = from(obs(MEANS_START, 2000, OBS_REPLACES), 1);

	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	start.session = STR("b");
	see(start, 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

/* Its person is away, and comes back: whoever tells of a dialog tells of its end, too, or ends. */
Test(session_process, a_dialog_that_was_told_is_open_for_as_long_as_it_runs)
{
	const uint64_t hours_ms = 5 * 3600 * 1000;

	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	see(obs(MEANS_ASK, 2000, OBS_TOLD), 0);
	tick_at(hours_ms);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	end_process(7, hours_ms + 1000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

Test(session_process, a_dialog_that_was_shown_is_given_up)
{
	machine.of_peer[1] = process(7);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	see(obs(MEANS_ASK, 2000, 0), 0);
	tick_at(2000 + 1799000);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	tick_at(2000 + 1801000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
}

/* A program that plays recordings, or passes on what several CLIs have sent, has all their sessions. */
Test(session_process, a_new_start_replaces_no_session_of_what_is_said_to_be_another_process)
{
	struct observation other = from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), own = other;
	struct observation start = from(obs(MEANS_START, 2000, OBS_REPLACES), 1);

	machine.of_peer[1] = process(7);
	other.process = STR("box:41");
	see(other, 0);
	own.session = STR("b");
	own.process = start.process = STR("box:42");
	see(own, 0);
	start.session = STR("c");
	see(start, 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	cr_expect_eq(get("b")->state, SESSION_ENDED);
}

Test(session_process, repository_is_looked_at_when_a_turn_begins)
{
	struct observation o = obs(MEANS_PROMPT, 1000, OBS_COUNTED);

	machine.repository = (struct repository){ .name = "shop", .branch = "main", .worktree = "fix" };
	o.project_dir = STR("/x/trees/fix");
	see(o, 0);
	cr_expect_str_eq(machine.dir, "/x/trees/fix");
	cr_expect_str_eq(get("a")->project_name, "shop");
	cr_expect_str_eq(get("a")->branch, "main");
	cr_expect_str_eq(get("a")->worktree, "fix");
	strcpy(machine.repository.branch, "other");
	see(obs(MEANS_RESPONSE, 1500, OBS_OPENS), 0);
	see(obs(MEANS_PROMPT, 1600, OBS_COUNTED), 0);
	cr_expect_eq(machine.looked, 1, "once a second is enough");
	see(obs(MEANS_PROMPT, 9000, OBS_COUNTED), 0);
	cr_expect_str_eq(get("a")->branch, "other");
	machine.repository.name[0] = '\0';
	see(obs(MEANS_PROMPT, 19000, OBS_COUNTED), 0);
	cr_expect_str_eq(get("a")->branch, "");
	cr_expect_str_eq(get("a")->worktree, "");
}

Test(session_process, a_name_that_the_cli_tells_is_kept)
{
	struct observation o = obs(MEANS_PROMPT, 1000, OBS_COUNTED);

	machine.repository = (struct repository){ .name = "shop", .branch = "main" };
	o.project_dir = STR("/x/shop");
	o.project_name = STR("web");
	see(o, 0);
	see(obs(MEANS_PROMPT, 9000, OBS_COUNTED), 0);
	cr_expect_str_eq(get("a")->project_name, "web");
	cr_expect_str_eq(get("a")->branch, "main");
}

Test(session_process, without_a_host_nothing_is_asked)
{
	sessions_set_host(f->sessions, NULL);
	see(from(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 1), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	cr_expect_eq(machine.asked + machine.looked, 0);
}
