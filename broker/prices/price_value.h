/* Decimal numbers and days as price files hold them. Pure: each returns false, and leaves *ret alone, for what is no such value.
 */
#ifndef AGENTBUS_PRICES_PRICE_VALUE_H
#define AGENTBUS_PRICES_PRICE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#define PRICE_MICRO 1000000

/* "12.5" in millionths, from 0 to max. Digits after the sixth may only be zeros. */
bool price_micro_of_text(const char *text, int64_t max, int64_t *ret);

/* The same of a number. A double holds 15 digits: what differs only beyond them is no different number. */
bool price_micro_of_number(double number, int64_t max, int64_t *ret);

/*
 * "3e-06", "0.0000025": dollars as a decimal number, with an exponent or without, in pico-dollars from 0 to max. False also if it
 * is no whole number of them.
 */
bool price_pico_of_decimal(const char *text, int64_t max, int64_t *ret);

/* The same of a number as JSON readers give it: the decimal number of at most 15 digits that it stands for. */
bool price_pico_of_number(double number, int64_t max, int64_t *ret);

/* "2026-11-26", the beginning of that day in UTC, in nanoseconds since the epoch. Years 1970 to 2500. */
bool price_day_of(const char *text, uint64_t *ret_ns);

#endif
