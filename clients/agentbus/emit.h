/* `agentbus emit`, which a CLI runs for each of its hooks: it must cost next to nothing, and uses libc alone. */
#ifndef CLIENTS_AGENTBUS_EMIT_H
#define CLIENTS_AGENTBUS_EMIT_H

/*
 * Tells the broker what a hook was told on standard input, or as the last argument. argv[0] is the verb. Returns 0 within 50 ms,
 * whatever happens, and writes nothing unless asked for --help.
 */
int emit_run(int argc, char **argv);

#endif
