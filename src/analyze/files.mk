# main.o      options, one line, reload
# load.o      the model and the emotes from disk
# report.o    a verdict as an event, as JSON, explained
# verdict.o   what the model says of a message, and the gate for other languages
# clean.o     a message as typed to plain text: emotes to words, links dropped
# emote.o     the table of emotes
# text.o      plain text to tokens
# uchar.o     characters: letters, case, emoji
# feature.o   the hashed features of a text
# lexicon.o   words by what they tend to express
# model.o     the trained model: features to probabilities
# labels.o    the three tasks and their classes
# calc.o      exponential and logarithm, the same bits everywhere
analyze_OBJS := main.o load.o report.o verdict.o clean.o emote.o text.o uchar.o feature.o lexicon.o model.o labels.o calc.o
analyze_PURE := report.o verdict.o clean.o emote.o text.o uchar.o feature.o lexicon.o model.o labels.o calc.o
# The same bits on every machine; loops over the outputs as vectors.
analyze_CFLAGS := -ffp-contract=off -O3
analyze_LIBS := -lm

# train/: the tool that makes share/emotion.model (scripts/train-emotion); it shares the pure objects above, so that what is learnt is
# what is looked up. Not installed.
# main.o      options, folds in threads, the table
# data.o      the labelled texts as features
# fit.o       rows of the data to a model: census, selection, both layers
# solve.o     logistic regression by dual coordinate descent
# stack.o     the second layer
# tune.o      thresholds and F1
# pack.o      the model file
analyze_TRAIN := $(addprefix $(B)/analyze/,$(addprefix train/,main.o data.o fit.o solve.o stack.o tune.o pack.o) \
	calc.o clean.o emote.o feature.o labels.o lexicon.o model.o text.o uchar.o)
.DEFAULT_GOAL := all
$(BIN)/analyze-train: $(analyze_TRAIN) $(B)/libpenstock.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(PKG_ARCHIVE)) -lm
-include $(analyze_TRAIN:.o=.d)
