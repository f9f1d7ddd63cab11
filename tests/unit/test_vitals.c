#include "vitals.h"

#include <criterion/criterion.h>
#include <sys/resource.h>
#include <unistd.h>

Test(vitals, are_those_of_this_process)
{
	struct vitals before, after;
	struct rlimit limit;
	int fds[2];

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 100;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	vitals_read(&before);
	cr_assert_eq(pipe(fds), 0);
	vitals_read(&after);
	cr_assert_eq(after.open_fds, before.open_fds + 2);
	cr_assert_eq(after.max_fds, 100);
	cr_assert_gt(after.resident_bytes, 100 * 1024);
	cr_assert_lt(after.resident_bytes, UINT64_C(1) << 40);
	cr_assert_geq(after.cpu_ns, before.cpu_ns);
	cr_assert_lt(after.cpu_ns, UINT64_C(3600) * 1000000000);
	close(fds[0]);
	close(fds[1]);
}

Test(vitals, what_cannot_be_read_is_unknown)
{
	struct rlimit none = { 0, 0 }, limit;
	struct vitals v;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	vitals_read(&v);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(v.open_fds, VITALS_UNKNOWN);
	cr_assert_eq(v.resident_bytes, VITALS_UNKNOWN);
	cr_assert_eq(v.max_fds, 0);
}
