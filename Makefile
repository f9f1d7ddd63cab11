# agentbus: build, test, install. `make help` lists the targets.
VERSION := 0.1.0

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build

CC         ?= cc
PKG_CONFIG ?= pkg-config
PROTOC     ?= protoc
PROTOC_C   ?= protoc-c

# Works with and without .pc files: Debian 12 ships none for libev and nng.
pc = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null || echo $(3))

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla $(if $(CI),-Werror)
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DAGENTBUS_VERSION='"$(VERSION)"' -Iinclude -Ibroker -Iclients -I$(BUILD)/proto
ALL_CFLAGS = -std=c11 $(WARNINGS) $(CFLAGS) $(SANITIZE)

BROKER_LIBS := $(call pc,--libs,libev,-lev) $(call pc,--libs,nng,-lnng) $(call pc,--libs,libprotobuf-c,-lprotobuf-c) \
	$(call pc,--libs,libcjson,-lcjson) $(call pc,--libs,libmicrohttpd,-lmicrohttpd) $(call pc,--libs,zlib,-lz) \
	$(call pc,--libs,inih,-linih) $(call pc,--libs,libsystemd,-lsystemd)
LIB_LIBS    := $(call pc,--libs,nng,-lnng) $(call pc,--libs,libprotobuf-c,-lprotobuf-c)
CLIENT_LIBS := $(LIB_LIBS) $(call pc,--libs,libev,-lev) $(call pc,--libs,libcjson,-lcjson) $(call pc,--libs,inih,-linih) \
	$(call pc,--libs,libsystemd,-lsystemd) $(call pc,--libs,libcurl,-lcurl)

# --- generated protobuf code ---
BUS_PROTO  := proto/agentbus/v1/agentbus.proto
OTLP_PROTO := $(filter-out $(BUS_PROTO),$(shell find proto -name '*.proto'))
BUS_C      := $(BUS_PROTO:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
OTLP_C     := $(OTLP_PROTO:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
GENERATED  := $(BUS_C) $(OTLP_C)
BUS_OBJ    := $(BUS_C:.c=.o)
OTLP_OBJ   := $(OTLP_C:.c=.o)

# --- what is built ---
BROKER_SRC := $(wildcard broker/*.c)
BROKER_OBJ := $(BROKER_SRC:%.c=$(BUILD)/%.o)
LIB_SRC    := $(wildcard clients/lib/*.c)
LIB_OBJ    := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB_PIC    := $(LIB_SRC:%.c=$(BUILD)/pic/%.o) $(BUS_C:$(BUILD)/%.c=$(BUILD)/pic/%.o)
COMMON_SRC := $(wildcard clients/common/*.c)
COMMON_OBJ := $(COMMON_SRC:%.c=$(BUILD)/%.o)
CLI_SRC    := $(wildcard clients/agentbus/*.c)
CLI_OBJ    := $(CLI_SRC:%.c=$(BUILD)/%.o)
SUBSCRIBERS := eww-subscriber notify-subscriber log-subscriber
PROGRAMS   := $(addprefix $(BUILD)/,agentbusd agentbus $(SUBSCRIBERS))
SONAME     := libagentbus.so.0

.PHONY: all
all: $(PROGRAMS) $(BUILD)/$(SONAME) $(BUILD)/libagentbus.a

$(BUILD)/proto/%.pb-c.c $(BUILD)/proto/%.pb-c.h: proto/%.proto
	@mkdir -p $(BUILD)/proto
	$(PROTOC_C) -Iproto --c_out=$(BUILD)/proto $<

# Generated headers exist before anything that may include them is compiled.
$(BROKER_OBJ) $(LIB_OBJ) $(LIB_PIC) $(COMMON_OBJ) $(CLI_OBJ) $(BUS_OBJ) $(OTLP_OBJ) $(SUBSCRIBERS:%=$(BUILD)/clients/%.o): | $(GENERATED)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/proto/%.pb-c.o: $(BUILD)/proto/%.pb-c.c Makefile
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c $< -o $@

$(BUILD)/pic/proto/%.pb-c.o: $(BUILD)/proto/%.pb-c.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(BUILD)/agentbusd: $(BROKER_OBJ) $(BUS_OBJ) $(OTLP_OBJ)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(BROKER_LIBS) -lm -o $@

$(BUILD)/libagentbus.a: $(LIB_OBJ) $(BUS_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/$(SONAME): $(LIB_PIC) clients/lib/libagentbus.map
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=clients/lib/libagentbus.map $(LIB_PIC) $(LIB_LIBS) -o $@
	ln -sf $(SONAME) $(BUILD)/libagentbus.so

$(SUBSCRIBERS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/clients/%.o $(COMMON_OBJ) $(BUILD)/libagentbus.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(CLIENT_LIBS) -lm -o $@

$(BUILD)/agentbus: $(CLI_OBJ) $(COMMON_OBJ) $(BUILD)/libagentbus.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(CLIENT_LIBS) -lm -o $@

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
