# agentbus: build, test, install. `make help` lists the targets.
VERSION := 0.1.0

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build

CC         ?= cc
PKG_CONFIG ?= pkg-config
PROTOC     ?= protoc
PROTOC_C   ?= protoc-c
PYTHON     ?= python3
SCDOC      ?= scdoc

# Works with and without .pc files: Debian 12 ships none for libev and nng.
pc = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null || echo $(3))

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla $(if $(CI),-Werror)
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DAGENTBUS_VERSION='"$(VERSION)"' -Iinclude -Ibroker -Iclients -I$(BUILD)/proto
ALL_CFLAGS = -std=c11 $(WARNINGS) $(CFLAGS) $(SANITIZE)
SANITIZERS := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined

BROKER_LIBS := $(call pc,--libs,libev,-lev) $(call pc,--libs,nng,-lnng) $(call pc,--libs,libprotobuf-c,-lprotobuf-c) \
	$(call pc,--libs,libcjson,-lcjson) $(call pc,--libs,libmicrohttpd,-lmicrohttpd) $(call pc,--libs,libnghttp2,-lnghttp2) \
	$(call pc,--libs,sqlite3,-lsqlite3) $(call pc,--libs,zlib,-lz) $(call pc,--libs,inih,-linih) $(call pc,--libs,libsystemd,-lsystemd) \
	$(call pc,--libs,libcurl,-lcurl)
LIB_LIBS    := $(call pc,--libs,nng,-lnng) $(call pc,--libs,libprotobuf-c,-lprotobuf-c)
CLIENT_LIBS := $(LIB_LIBS) $(call pc,--libs,libev,-lev) $(call pc,--libs,libcjson,-lcjson) $(call pc,--libs,inih,-linih) \
	$(call pc,--libs,libsystemd,-lsystemd) $(call pc,--libs,libcurl,-lcurl)

# --- generated protobuf code ---
BUS_PROTO  := proto/agentbus/v1/agentbus.proto
STORE_PROTO := $(wildcard proto/agentbus/store/v1/*.proto)
OTLP_PROTO := $(filter-out $(BUS_PROTO) $(STORE_PROTO),$(shell find proto -name '*.proto'))
BUS_C      := $(BUS_PROTO:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
OTLP_C     := $(OTLP_PROTO:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
STORE_C    := $(STORE_PROTO:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
GENERATED  := $(BUS_C) $(OTLP_C) $(STORE_C)
BUS_OBJ    := $(BUS_C:.c=.o)
OTLP_OBJ   := $(OTLP_C:.c=.o)
STORE_OBJ  := $(STORE_C:.c=.o)

# --- what is built ---
BROKER_SRC := $(wildcard broker/*.c)
BROKER_OBJ := $(BROKER_SRC:%.c=$(BUILD)/%.o)
PRICES_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard broker/prices/*.c)) $(BUILD)/broker/prices/price_shipped.o
LIB_SRC    := $(wildcard clients/lib/*.c)
LIB_OBJ    := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB_PIC    := $(LIB_SRC:%.c=$(BUILD)/pic/%.o) $(BUS_C:$(BUILD)/%.c=$(BUILD)/pic/%.o)
COMMON_SRC := $(wildcard clients/common/*.c)
COMMON_OBJ := $(COMMON_SRC:%.c=$(BUILD)/%.o)
CLI_SRC    := $(wildcard clients/agentbus/*.c)
CLI_OBJ    := $(CLI_SRC:%.c=$(BUILD)/%.o)
SUBSCRIBERS := eww-subscriber notify-subscriber log-subscriber
PROGRAMS   := $(addprefix $(BUILD)/,agentbusd agentbus $(SUBSCRIBERS))
# What `agentbus emit` is made of: no libraries, since it runs with each hook. The other verbs are in agentbus-verbs.
EMIT_OBJ   := $(BUILD)/clients/agentbus.o $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/agentbus/emit*.c))
VERBS      := $(BUILD)/agentbus-verbs
SONAME     := libagentbus.so.0

.PHONY: all
all: $(PROGRAMS) $(VERBS) $(BUILD)/$(SONAME) $(BUILD)/libagentbus.a

# Says in one line what is missing, instead of a page of compiler errors.
PROBE_HEADERS := ev.h nng/nng.h protobuf-c/protobuf-c.h cjson/cJSON.h microhttpd.h nghttp2/nghttp2.h sqlite3.h zlib.h ini.h systemd/sd-bus.h curl/curl.h
$(BUILD)/libraries-found:
	@mkdir -p $(@D)
	@printf '#include <%s>\n' stdio.h $(PROBE_HEADERS) | $(CC) -E -o /dev/null - 2>$@.log && $(PROTOC_C) --version >/dev/null 2>>$@.log || \
		{ grep -m1 -E 'error|found' $@.log; echo 'A library or tool is missing; on Debian and Ubuntu, `make deps` installs all of them.'; exit 1; } >&2
	@mv $@.log $@

$(BUILD)/proto/%.pb-c.c $(BUILD)/proto/%.pb-c.h: proto/%.proto | $(BUILD)/libraries-found
	@mkdir -p $(BUILD)/proto
	$(PROTOC_C) -Iproto --c_out=$(BUILD)/proto $<

# --- tests, linked with everything but the programs' main() ---
UNIT_SRC   := $(wildcard tests/unit/test_*.c)
UNIT       := $(UNIT_SRC:%.c=$(BUILD)/%)
GOLDEN_SRC := $(wildcard tests/golden/*.c)
GOLDEN     := $(if $(GOLDEN_SRC),$(BUILD)/tests/golden/golden)
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_REPLAY := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/replay_%)
BENCH      := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
TEST_OBJ   := $(UNIT:%=%.o) $(GOLDEN_SRC:%.c=$(BUILD)/%.o) $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz/*.c tests/bench/*.c))
MODULES_C  := $(filter-out %/main.c,$(wildcard clients/*/*.c))
# test_json and test_log_line are of clients/common/json.c and clients/log/line.c: those are linked with the clients' code, and
# any other test with the broker's first.
CLIENT_TESTS := $(foreach m,$(MODULES_C:.c=),$(BUILD)/tests/unit/test_$(notdir $(m)) $(BUILD)/tests/unit/test_$(subst /,_,$(m:clients/%=%))) $(filter $(BUILD)/tests/unit/test_lib_%,$(UNIT))
TEST_LIBS  := -lcriterion $(sort $(BROKER_LIBS) $(CLIENT_LIBS)) -lm

# Generated headers exist before anything that may include them is compiled.
$(BROKER_OBJ) $(LIB_OBJ) $(LIB_PIC) $(COMMON_OBJ) $(CLI_OBJ) $(BUS_OBJ) $(OTLP_OBJ) $(STORE_OBJ) $(SUBSCRIBERS:%=$(BUILD)/clients/%.o): | $(GENERATED)
$(MODULES_C:%.c=$(BUILD)/%.o) $(TEST_OBJ): | $(GENERATED)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/proto/%.pb-c.o: $(BUILD)/proto/%.pb-c.c Makefile
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

# The prices that are built in.
$(BUILD)/broker/prices/price_shipped.c: contrib/pricing/models.json Makefile
	@mkdir -p $(@D)
	{ echo '#include "prices/price_shipped.h"'; echo 'const unsigned char price_shipped[] = {'; \
		od -An -v -tx1 $< | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'; \
		echo '};'; echo 'const size_t price_shipped_size = sizeof(price_shipped);'; } >$@.new
	@mv $@.new $@

$(BUILD)/broker/prices/price_shipped.o: $(BUILD)/broker/prices/price_shipped.c Makefile
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c $< -o $@

$(BUILD)/pic/proto/%.pb-c.o: $(BUILD)/proto/%.pb-c.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(BUILD)/agentbusd: $(BROKER_OBJ) $(PRICES_OBJ) $(BUS_OBJ) $(OTLP_OBJ) $(STORE_OBJ)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(BROKER_LIBS) -lm -o $@

$(BUILD)/libagentbus.a: $(LIB_OBJ) $(BUS_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/$(SONAME): $(LIB_PIC) clients/lib/libagentbus.map
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=clients/lib/libagentbus.map $(LIB_PIC) $(LIB_LIBS) -o $@
	ln -sf $(SONAME) $(BUILD)/libagentbus.so

# clients/log-subscriber.c holds main(), clients/log/ the rest of log-subscriber; likewise the others.
$(foreach s,$(SUBSCRIBERS),$(eval $(BUILD)/$(s): $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/$(s:%-subscriber=%)/*.c))))
$(SUBSCRIBERS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/clients/%.o $(COMMON_OBJ) $(BUILD)/libagentbus.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(BUILD)/libagentbus.a $(CLIENT_LIBS) -lm -o $@

$(BUILD)/agentbus: $(EMIT_OBJ) | $(VERBS)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@

$(VERBS): $(CLI_OBJ) $(COMMON_OBJ) $(PRICES_OBJ) $(BUILD)/libagentbus.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(CLIENT_LIBS) -lm -o $@

$(BUILD)/tests/libbroker.a: $(filter-out $(BUILD)/broker/main.o,$(BROKER_OBJ)) $(PRICES_OBJ) $(OTLP_OBJ) $(BUS_OBJ) $(STORE_OBJ)
$(BUILD)/tests/libclients.a: $(MODULES_C:%.c=$(BUILD)/%.o) $(PRICES_OBJ) $(BUS_OBJ)
$(BUILD)/tests/libbroker.a $(BUILD)/tests/libclients.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

TEST_ARCHIVES := $(BUILD)/tests/libbroker.a $(BUILD)/tests/libclients.a
$(UNIT): $(BUILD)/%: $(BUILD)/%.o $(TEST_ARCHIVES)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $< $(if $(filter $@,$(CLIENT_TESTS)),$(BUILD)/tests/libclients.a,$(TEST_ARCHIVES)) $(TEST_LIBS) -o $@

$(GOLDEN): $(GOLDEN_SRC:%.c=$(BUILD)/%.o) $(BUILD)/clients/notify/policy.o $(BUILD)/tests/libbroker.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(BROKER_LIBS) -lm -o $@

$(FUZZ_REPLAY): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay_main.o $(TEST_ARCHIVES)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(sort $(BROKER_LIBS) $(CLIENT_LIBS)) -lm -o $@

$(BENCH): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/libbroker.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(BROKER_LIBS) -lm -o $@

# --- targets for people ---
SAN_BUILD  ?= $(BUILD)-asan
FUZZ_BUILD ?= $(BUILD)-fuzz
SECONDS    ?= 60
JOBS       ?= 1
TARGET     ?= $(FUZZ_NAMES)
RUNNER     := $(PYTHON) tests/run.py --build $(BUILD) --san $(SAN_BUILD)
SUBMAKE    := $(MAKE) --no-print-directory -j$(shell nproc 2>/dev/null || echo 2)

.PHONY: help
help:
	@sed -n 's/^#: //p' Makefile

#: make                 build everything into build/
#: make run             install what is missing, build, start the broker at its defaults and show the sessions
#: make demo            the same in a temporary directory, with a recording of three CLIs
.PHONY: run demo
run demo:
	@contrib/setup/install-packages run
	@$(SUBMAKE) --silent all
	@BUILD=$(BUILD) contrib/demo/live $@

#: make check           all tests: plain, with sanitizers, fuzz regressions, lint; the last line counts them
#: make check-unit      only the unit tests; likewise check-golden, check-system, check-fuzz
#: make check-san       unit, golden and system tests with AddressSanitizer and UndefinedBehaviorSanitizer
.PHONY: check check-unit check-golden check-system check-fuzz check-san tests tests-san
check:
	@contrib/setup/install-packages run check
	@$(SUBMAKE) --silent tests
	@$(SUBMAKE) --silent tests-san
	@$(RUNNER)

check-unit check-golden check-system: tests
	@$(RUNNER) $(@:check-%=%)

check-fuzz: tests-san
	@$(RUNNER) fuzz

check-san: tests-san
	@$(RUNNER) san fuzz

tests: all $(UNIT) $(GOLDEN)

tests-san:
	@$(MAKE) --no-print-directory BUILD=$(SAN_BUILD) SANITIZE='$(SANITIZERS)' CFLAGS='-O1 -g' tests tests-fuzz

.PHONY: tests-fuzz
tests-fuzz: $(FUZZ_REPLAY)

#: make lint            clang-format, clang-tidy, cppcheck, layers, sizes, words, SECURITY.md
#: make format          clang-format on all C files
#: make bench           what the broker costs, beside the numbers of the design
#: make fuzz            run the fuzzers; SECONDS=60 each, TARGET=name for one, JOBS=4 side by side
C_FILES := $(sort $(shell find include broker clients tests contrib -name '*.[ch]' 2>/dev/null))
.PHONY: lint format bench fuzz
lint: $(GENERATED)
	@$(RUNNER) lint

format:
	clang-format -i $(C_FILES)

bench: all $(BENCH)
	@$(PYTHON) tests/bench/bench.py --build $(BUILD)

# Inputs found by fuzzing stay in $(FUZZ_BUILD)/corpus; a crash is copied to tests/fuzz/regress by hand, with its fix.
fuzz:
	@$(SUBMAKE) BUILD=$(FUZZ_BUILD) CC=clang CFLAGS='-O1 -g' SANITIZE='$(SANITIZERS) -fsanitize=fuzzer-no-link' $(TARGET:%=$(FUZZ_BUILD)/tests/fuzz/libfuzzer_%)
	@$(PYTHON) tests/fuzz/run.py --build $(FUZZ_BUILD) --seconds $(SECONDS) --jobs $(JOBS) $(TARGET)

$(BUILD)/tests/fuzz/libfuzzer_%: $(BUILD)/tests/fuzz/fuzz_%.o $(TEST_ARCHIVES)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) $^ $(sort $(BROKER_LIBS) $(CLIENT_LIBS)) -lm -o $@

#: make install         PREFIX=/usr/local DESTDIR=; uninstall removes the same files, install-list prints them
SCD      := $(wildcard broker/*.scd clients/*.scd clients/*/*.scd)
HAVE_SCDOC := $(shell command -v $(SCDOC) 2>/dev/null)
MAN      := $(if $(HAVE_SCDOC),$(addprefix $(BUILD)/man/,$(basename $(notdir $(SCD)))))
UNITS    := $(patsubst contrib/systemd/%,$(BUILD)/systemd/%,$(wildcard contrib/systemd/*.service contrib/systemd/*.socket contrib/systemd/*.target))

# mode:source:destination below PREFIX
INSTALLED := \
	$(foreach p,$(PROGRAMS),755:$(p):bin/$(notdir $(p))) \
	755:$(VERBS):libexec/agentbus/$(notdir $(VERBS)) \
	755:$(BUILD)/$(SONAME):lib/libagentbus.so.$(VERSION) \
	644:$(BUILD)/libagentbus.a:lib/libagentbus.a \
	644:$(BUILD)/agentbus.pc:lib/pkgconfig/agentbus.pc \
	644:include/agentbus.h:include/agentbus.h \
	644:$(BUS_PROTO):share/agentbus/$(BUS_PROTO) \
	$(foreach m,$(MAN),644:$(m):share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	$(foreach u,$(UNITS),644:$(u):lib/systemd/user/$(notdir $(u))) \
	$(foreach c,$(wildcard contrib/completions/*.bash),644:$(c):share/bash-completion/completions/$(notdir $(basename $(c)))) \
	$(foreach c,$(wildcard contrib/completions/_*),644:$(c):share/zsh/site-functions/$(notdir $(c))) \
	$(foreach c,$(wildcard contrib/completions/*.fish),644:$(c):share/fish/vendor_completions.d/$(notdir $(c))) \
	$(foreach f,$(shell find contrib/eww contrib/waybar contrib/examples contrib/prometheus contrib/alloy -type f 2>/dev/null),644:$(f):share/agentbus/$(f:contrib/%=%)) \
	644:contrib/pricing/models.json:share/agentbus/pricing/models.json \
	$(foreach f,$(wildcard contrib/agentbus.conf),644:$(f):share/agentbus/agentbus.conf) \
	$(foreach f,$(wildcard contrib/icons/*-symbolic.svg),644:$(f):share/icons/hicolor/symbolic/apps/$(notdir $(f))) \
	644:contrib/icons/agentbus.svg:share/icons/hicolor/scalable/apps/agentbus.svg \
	$(foreach f,$(wildcard contrib/*.desktop),644:$(f):share/applications/$(notdir $(f)))
INSTALLED_LINKS := lib/$(SONAME) lib/libagentbus.so

$(BUILD)/agentbus.pc: clients/lib/agentbus.pc.in Makefile
	sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g' $< >$@

$(BUILD)/systemd/%: contrib/systemd/% Makefile
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|g' $< >$@

define man_page
$(BUILD)/man/$(basename $(notdir $(1))): $(1)
	@mkdir -p $(BUILD)/man
	$(SCDOC) <$(1) >$(BUILD)/man/$(basename $(notdir $(1)))
endef
$(foreach s,$(SCD),$(eval $(call man_page,$(s))))

.PHONY: install uninstall install-list
install: all $(BUILD)/agentbus.pc $(MAN) $(UNITS)
	@for entry in $(INSTALLED); do IFS=:; set -- $$entry; install -D -m $$1 $$2 $(DESTDIR)$(PREFIX)/$$3 || exit 1; done
	@for link in $(INSTALLED_LINKS); do ln -sf libagentbus.so.$(VERSION) $(DESTDIR)$(PREFIX)/$$link || exit 1; done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,$(foreach e,$(INSTALLED),$(lastword $(subst :, ,$(e)))) $(INSTALLED_LINKS))

install-list:
	@printf '%s\n' $(foreach e,$(INSTALLED),$(lastword $(subst :, ,$(e)))) $(INSTALLED_LINKS)

#: make deps            install the packages that building and testing need (Debian, Ubuntu)
#: make compile_commands.json, make clean
.PHONY: deps
deps:
	@contrib/setup/install-packages run check

compile_commands.json: Makefile $(GENERATED)
	@$(PYTHON) -c 'import json, sys; d, flags, *files = sys.argv[1:]; json.dump([{"directory": d, "file": f, "command": f"cc {flags} -c {f}"} \
		for f in files], open("$@", "w"), indent=1)' '$(CURDIR)' '$(subst ','\'',$(CPPFLAGS) $(ALL_CFLAGS))' $(filter %.c,$(C_FILES))

.PHONY: clean
clean:
	rm -rf $(BUILD) $(SAN_BUILD) $(FUZZ_BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
