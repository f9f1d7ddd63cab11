/* Values as people write them. Pure: each returns false, and leaves *ret alone, for text that is not entirely such a value. */
#ifndef AGENTBUS_CONFIG_VALUE_H
#define AGENTBUS_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#define VALUE_TEXT_MAX 32
#define VALUE_USD_MAX  1000000

/* "15" and "15s" are seconds; also "500ms", "5m", "1h". In nanoseconds. */
bool value_duration(const char *text, uint64_t *ret);

/* "4096"; with units also "64K", "16M", "1G" (powers of 1024). */
bool value_size(const char *text, bool units, uint64_t *ret);

/* yes, true, on, 1; no, false, off, 0. In any case. */
bool value_flag(const char *text, bool *ret);

/* "5", "12.50": USD below VALUE_USD_MAX, with at most six digits after the point. In pico-dollars. */
bool value_money(const char *text, int64_t *ret_pico);

/* The shortest of what the functions above read. */
void value_format_duration(uint64_t ns, char text[VALUE_TEXT_MAX]);
void value_format_size(uint64_t bytes, char text[VALUE_TEXT_MAX]);
void value_format_money(int64_t pico, char text[VALUE_TEXT_MAX]); /* "" for 0 */

#endif
