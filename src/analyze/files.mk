# main.o      options, one line, reload
# load.o      the model and the emotes from disk
# report.o    a verdict as an event, as JSON, explained
# verdict.o   what the model says of a message, and the gate for other languages
# clean.o     a message as typed to plain text: emotes to words, links dropped
# emote.o     the table of emotes
# text.o      plain text to tokens
# uchar.o     characters: letters, case, emoji
# feature.o   the hashed features of a text
# model.o     the trained model: features to probabilities
# labels.o    the three tasks and their classes
# calc.o      exponential and logarithm, the same bits everywhere
analyze_OBJS := main.o load.o report.o verdict.o clean.o emote.o text.o uchar.o feature.o model.o labels.o calc.o
analyze_PURE := report.o verdict.o clean.o emote.o text.o uchar.o feature.o model.o labels.o calc.o
analyze_CFLAGS := -ffp-contract=off
analyze_LIBS := -lm
