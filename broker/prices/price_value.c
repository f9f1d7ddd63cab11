#include "prices/price_value.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_DAY (24ull * 3600 * 1000000000)

bool
price_micro_of_text(const char *text, int64_t max, int64_t *ret)
{
	int64_t value = 0;
	int digits = 0, places = -1;

	for (; *text; text++) {
		if (*text == '.' && places < 0) {
			places = 0;
			continue;
		}
		if (!isdigit((unsigned char)*text) || (places >= 6 && *text != '0'))
			return false;
		digits++;
		if (places >= 6)
			continue;
		if (value > max)
			return false;
		value = 10 * value + (*text - '0');
		places += places >= 0;
	}
	for (places = places < 0 ? 0 : places; places < 6; places++)
		if (__builtin_mul_overflow(value, 10, &value))
			return false;
	if (digits == 0 || value > max)
		return false;
	*ret = value;
	return true;
}

bool
price_micro_of_number(double number, int64_t max, int64_t *ret)
{
	const double micro = number * PRICE_MICRO, whole = nearbyint(micro);

	if (!(number >= 0) || micro > (double)max || fabs(micro - whole) > whole * 1e-15)
		return false;
	*ret = (int64_t)whole;
	return true;
}

/* Digits of a number without its point, and the power of ten that it stands before. */
struct decimal {
	int64_t digits;
	int exponent;
};

#define PICO_EXPONENT 12
#define EXPONENT_MAX  1000 /* more is no sum of money, and would not fit anyway */

/* The part before an exponent. Returns where it ends; NULL if it is none. */
static const char *
read_digits(const char *text, struct decimal *d)
{
	bool any = false, point = false;

	for (;; text++) {
		if (*text == '.' && !point) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*text))
			return any ? text : NULL;
		any = true;
		if (__builtin_mul_overflow(d->digits, 10, &d->digits) ||
		    __builtin_add_overflow(d->digits, *text - '0', &d->digits))
			return NULL;
		d->exponent -= point;
	}
}

static bool
read_exponent(const char *text, struct decimal *d)
{
	int exponent = 0, sign = 1;

	if (*text == '\0')
		return true;
	if (*text != 'e' && *text != 'E')
		return false;
	text++;
	if (*text == '-' || *text == '+')
		sign = *text++ == '-' ? -1 : 1;
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || exponent > EXPONENT_MAX)
			return false;
		exponent = 10 * exponent + (*text - '0');
	}
	d->exponent += sign * exponent;
	return true;
}

bool
price_pico_of_decimal(const char *text, int64_t max, int64_t *ret)
{
	struct decimal d = { 0 };

	text = read_digits(text, &d);
	if (!text || !read_exponent(text, &d))
		return false;
	d.exponent += PICO_EXPONENT;
	for (; d.exponent > 0 && d.digits > 0; d.exponent--)
		if (__builtin_mul_overflow(d.digits, 10, &d.digits))
			return false;
	for (; d.exponent < 0 && d.digits > 0; d.exponent++) {
		if (d.digits % 10 != 0)
			return false;
		d.digits /= 10;
	}
	if (d.digits > max)
		return false;
	*ret = d.digits;
	return true;
}

bool
price_pico_of_number(double number, int64_t max, int64_t *ret)
{
	char text[40];

	/* So many digits survive the way into a double and back, whatever the number. */
	snprintf(text, sizeof(text), "%.*g", DBL_DIG, number);
	return price_pico_of_decimal(text, max, ret);
}

static unsigned
days_in(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

bool
price_day_of(const char *text, uint64_t *ret_ns)
{
	unsigned year, month, day, days = 0;
	int used = 0;

	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 || text[4] != '-' || text[7] != '-' ||
	    sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &used) != 3 || used != 10)
		return false;
	if (year < 1970 || year > 2500 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	for (unsigned y = 1970; y < year; y++)
		days += days_in(y, 2) == 29 ? 366 : 365;
	for (unsigned m = 1; m < month; m++)
		days += days_in(year, m);
	*ret_ns = (days + day - 1) * NS_PER_DAY;
	return true;
}
