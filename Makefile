# penstock. One Makefile, not recursive; it reads src/*/files.mk.
#
#   make all        programs into $(BIN)          make check    unit checks, arrows, doors, man pages
#   make asan       the same, ASan + UBSan, in build-asan/bin
#   make fuzz       every fuzz target for FUZZ_SECONDS each
#   make torture    tools of scripts/torture
#   make man        lint the manual pages          make install   DESTDIR= PREFIX=
#
# A program NAME is a folder src/NAME/ with a files.mk of three lines:
#   NAME_OBJS := main.o other.o        objects of src/NAME/ (sub-folders as sub/x.o); a comment line per file says what it is
#   NAME_PURE := other.o               those of them that unit tests and fuzzers link (no main, no descriptor)
#   NAME_PKGS := sqlite3               pkg-config names it needs beyond the archive's

B       ?= build
BIN     ?= bin
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
Q       := $(if $(V),,@)#  V=1 shows the commands
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 5

VERSION := $(shell cat VERSION)
LIBEXEC  = $(PREFIX)/libexec/penstock
SHARE    = $(PREFIX)/share/penstock
MAN      = $(PREFIX)/share/man

PROGRAMS := $(patsubst src/%/files.mk,%,$(wildcard src/*/files.mk))

WARN   := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2
HARDEN := -fstack-protector-strong -fPIE -fno-common -D_FORTIFY_SOURCE=2
OPT    ?= -O2 -g
SAN    ?=
DEFS   := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DLIBEXEC='"$(LIBEXEC)"' -DSHARE='"$(SHARE)"'
CFLAGS_ALL := -std=gnu11 $(OPT) $(WARN) $(HARDEN) $(DEFS) -Isrc $(SAN) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now -pthread $(SAN) $(LDFLAGS)

# The archive's third parties; each is opened by one file (src/README.md). name:Debian package
LIBS_NEEDED := jansson:libjansson-dev sqlite3:libsqlite3-dev openssl:libssl-dev zlib:zlib1g-dev \
	libwebsockets:libwebsockets-dev libcurl:libcurl4-openssl-dev
PKG_ARCHIVE := jansson openssl
PKG_CONFIG ?= pkg-config
# Used where it is there, for Discord's zstd-stream (libzstd-dev); ZSTD=no builds without it.
ZSTD     ?= $(if $(shell $(PKG_CONFIG) --exists libzstd 2>/dev/null && echo yes),yes,no)
PKG_ZSTD := $(if $(filter yes,$(ZSTD)),libzstd)

include $(wildcard src/*/files.mk)

LIB_OBJS := $(patsubst src/%.c,$(B)/%.o,$(wildcard src/base/*.c src/line/*.c src/link/*.c src/link/transport/*.c))
LIB      := $(B)/libpenstock.a
# The pure objects of a program as an archive; a unit check, fuzzer or bench tool is linked with those whose headers it includes.
PURE     := $(patsubst %,$(B)/pure/%.a,$(PROGRAMS))
pure_of   = $(patsubst %,$(B)/pure/%.a,$(filter $(PROGRAMS),$(sort $(shell sed -n 's|^.include "\([a-z]*\)/.*|\1|p' $(1)))))
UNIT     := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
PROBE    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/probe*.c))
FUZZ     := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all check asan fuzz bench man install uninstall clean deps-check unit programs
.DELETE_ON_ERROR:
.SECONDARY:

all: deps-check programs
programs: $(addprefix $(BIN)/,$(PROGRAMS))

deps-check:
	@command -v $(PKG_CONFIG) >/dev/null || { echo "make: pkg-config is missing: apt-get install pkg-config" >&2; exit 1; }
	@for want in $(LIBS_NEEDED); do \
	  $(PKG_CONFIG) --exists $${want%%:*} || { \
	    echo "make: library $${want%%:*} is missing: apt-get install $${want##*:}" >&2; missing=1; }; \
	done; [ -z "$$missing" ]

$(LIB): $(LIB_OBJS)
	@rm -f $@
	@echo "  AR $@"
	$(Q)$(AR) rcs $@ $^

define pure
$(B)/pure/$(1).a: $(addprefix $(B)/$(1)/,$($(1)_PURE)) src/$(1)/files.mk
	@mkdir -p $$(@D) && rm -f $$@
	@$(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(foreach p,$(PROGRAMS),$(eval $(call pure,$(p))))

# What a .d file speaks of bears both names of the target, from here and from the root: B may be given either way.
TRACK = -MMD -MP $(addprefix -MT ,$(sort $@ $(abspath $@) $(patsubst $(CURDIR)/%,%,$(abspath $@))))

$(B)/%.o: src/%.c Makefile VERSION
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) $($(firstword $(subst /, ,$*))_CFLAGS) $(TRACK) -c -o $@ $<

define program
$(BIN)/$(1): $(addprefix $(B)/$(1)/,$($(1)_OBJS)) $(LIB) src/$(1)/files.mk
	@mkdir -p $$(@D)
	@echo '  LD $$@'
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$(filter %.o %.a,$$^) $$(shell $(PKG_CONFIG) --libs $(PKG_ARCHIVE) $($(1)_PKGS)) $($(1)_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# Says whether a library was there that a build can do without: objects that ask are made anew when that has changed.
$(B)/zstd.have: FORCE
	@mkdir -p $(@D)
	@echo '$(ZSTD)' | cmp -s - $@ || echo '$(ZSTD)' >$@
.PHONY: FORCE

# What stands in for gatewayd where a platform is checked (tests/unit/platform_probe.h): linked where it is used.
PLAY := $(B)/unit/platform_probe.a
$(PLAY): tests/unit/platform_probe.c tests/unit/platform_probe.h tests/unit/scratch.h src/gatewayd/platform/platform.h
	@mkdir -p $(@D) && rm -f $@
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $(@:.a=.o) $< && $(AR) rcs $@ $(@:.a=.o)
play_of = $(if $(shell grep -l 'platform_probe.h"' $(1)),$(PLAY))

# What carries out the wishes of platforms, for the check that plays what is around it.
UPSTREAM := $(B)/unit/upstream.a
$(UPSTREAM): $(addprefix $(B)/gatewayd/,$(gatewayd_UPSTREAM))
	@mkdir -p $(@D) && rm -f $@
	@$(AR) rcs $@ $^
upstream_of = $(if $(shell grep -l 'upstream/upstream.h"' $(1)),$(UPSTREAM))

unit: $(UNIT) $(PROBE)
$(B)/unit/%: tests/unit/%.c $(PURE) $(PLAY) $(UPSTREAM) $(LIB)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) $(TRACK) $(LDFLAGS_ALL) -Wl,--as-needed -o $@ $< $(call upstream_of,$<) $(call pure_of,$<) $(call play_of,$<) $(LIB) \
	  $(shell $(PKG_CONFIG) --libs $(PKG_ARCHIVE) sqlite3 libcurl zlib $(PKG_ZSTD)) -lm

check: all unit man
	@for t in $(UNIT); do echo "# $$t"; $$t || exit 1; done
	@for c in scripts/check-arrows scripts/check-doors scripts/check-man; do [ ! -x $$c ] || $$c || exit 1; done

# Everything once more under the sanitizers; tests run with BIN=build-asan/bin.
# gcc, with its checks woven in, takes some variables for uninitialised that are not.
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-maybe-uninitialized
asan:
	$(MAKE) B=build-asan BIN=build-asan/bin OPT="-O1 -g" SAN="$(ASAN)" HARDEN="-fPIE -fno-common" all unit

fuzz:
	$(MAKE) B=build-fuzz BIN=build-fuzz/bin CC=$(FUZZ_CC) OPT="-O1 -g" HARDEN="-fPIE" \
	  SAN="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all" fuzz-run
.PHONY: fuzz-run
fuzz-run: $(FUZZ)
	@for f in $(FUZZ); do n=$${f##*/fuzz_}; mkdir -p $(B)/corpus/$$n tests/fuzz/corpus/$$n; \
	  echo "# fuzz $$n, $(FUZZ_SECONDS) s"; \
	  $$f -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 -verbosity=0 -print_final_stats=0 \
	    -artifact_prefix=$(B)/ $(B)/corpus/$$n tests/fuzz/corpus/$$n >$(B)/fuzz-$$n.log 2>&1 || \
	    { cat $(B)/fuzz-$$n.log; exit 1; }; done
$(B)/fuzz/%: tests/fuzz/%.c $(PURE) $(PLAY) $(LIB)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(call pure_of,$<) $(call play_of,$<) $(LIB) \
	  $(shell $(PKG_CONFIG) --libs $(PKG_ARCHIVE) sqlite3 zlib $(PKG_ZSTD)) -lm

# Measuring tools of scripts/bench; nng_* are peers built on libnng. Of sv_* those that supervisors are measured with are small and static.
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
bench: $(BENCH)
$(B)/bench/sv_service $(B)/bench/sv_bare: $(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) -std=gnu11 $(OPT) $(WARN) $(DEFS) -Isrc -static -o $@ $<
$(B)/bench/%: tests/bench/%.c $(PURE) $(LIB)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(call pure_of,$<) $(LIB) $(shell $(PKG_CONFIG) --libs $(PKG_ARCHIVE) sqlite3) $(if $(filter nng_%,$*),-lnng) $(if $(filter curl_%,$*),-lcurl) -lm

# Tools of scripts/torture; its shim is put in front of every program of the tree.
TORTURE := $(patsubst %,$(B)/torture/%,disk source worker check service shim.so)
.PHONY: torture
torture: $(TORTURE)
$(B)/torture/%: tests/torture/%.c $(wildcard tests/torture/*.h) $(PURE) $(LIB)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(call pure_of,$<) $(LIB) $(shell $(PKG_CONFIG) --libs $(PKG_ARCHIVE) sqlite3) -lm
$(B)/torture/shim.so: $(wildcard tests/torture/shim*.c) $(wildcard tests/torture/*.h)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -shared -fPIC -o $@ $(filter %.c,$^) -ldl

man:
	@command -v mandoc >/dev/null || { echo "make: mandoc is missing: apt-get install mandoc" >&2; exit 1; }
	@[ -z "$(wildcard man/*.[1578])" ] || mandoc -Tlint -Wwarning $(wildcard man/*.[1578])

# The places of systemd's units; a folder of drop-ins holds what all of them share.
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
.PHONY: install-units
install-units:
	install -d $(UNITS)/penstock-.service.d $(DESTDIR)$(PREFIX)/lib/sysusers.d
	for u in share/systemd/*.service; do \
	  sed 's|@LIBEXEC@|$(LIBEXEC)|g; s|@BIN@|$(PREFIX)/bin|g' $$u >$(UNITS)/$${u##*/} && chmod 644 $(UNITS)/$${u##*/} || exit 1; done
	install -m 644 share/systemd/common.conf $(UNITS)/penstock-.service.d/50-all.conf
	install -m 644 share/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/penstock.conf

# bash-completion looks for NAME and for NAME.bash; it has a route of its own, of net-tools, which is not overwritten.
COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
.PHONY: install-completion
install-completion:
	install -d $(COMPLETIONS)
	install -m 644 share/completion/penstock.bash $(COMPLETIONS)/penstock
	for p in $(filter-out penstock,$(PROGRAMS)); do ln -sf penstock $(COMPLETIONS)/$$p.bash || exit 1; done

install: all install-units install-completion
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXEC) $(DESTDIR)$(SHARE) $(DESTDIR)$(MAN)
	for p in $(filter-out penstock,$(PROGRAMS)); do install -m 755 $(BIN)/$$p $(DESTDIR)$(LIBEXEC)/ || exit 1; done
	install -m 755 $(BIN)/penstock $(DESTDIR)$(PREFIX)/bin/
	for f in share/*; do [ ! -f $$f ] || install -m 644 $$f $(DESTDIR)$(SHARE)/ || exit 1; done
	install -d $(DESTDIR)$(SHARE)/lab && install -m 644 share/lab/*.py share/lab/README.md $(DESTDIR)$(SHARE)/lab/
	cp -R share/tree $(DESTDIR)$(SHARE)/ && chmod -R u=rwX,go=rX $(DESTDIR)$(SHARE)/tree
	for m in man/*.[1578]; do d=$(DESTDIR)$(MAN)/man$${m##*.}; install -d $$d && install -m 644 $$m $$d/ || exit 1; done

uninstall:
	rm -rf $(DESTDIR)$(LIBEXEC) $(DESTDIR)$(SHARE) $(UNITS)/penstock-.service.d
	rm -f $(UNITS)/penstock@.service $(UNITS)/penstock-*@.service $(DESTDIR)$(PREFIX)/lib/sysusers.d/penstock.conf
	rm -f $(DESTDIR)$(PREFIX)/bin/penstock $(COMPLETIONS)/penstock $(patsubst %,$(COMPLETIONS)/%.bash,$(filter-out penstock,$(PROGRAMS)))
	for m in man/*.[1578]; do rm -f $(DESTDIR)$(MAN)/man$${m##*.}/$${m##*/}; done

clean:
	rm -rf $(BIN) build build-asan build-fuzz

-include $(LIB_OBJS:.o=.d) $(foreach p,$(PROGRAMS),$(patsubst %.o,$(B)/$(p)/%.d,$($(p)_OBJS))) $(UNIT:=.d) $(PROBE:=.d)
