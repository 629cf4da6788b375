/*
 * labels: what the model answers. Pure, constant.
 *
 * 34 outputs serve three tasks: GoEmotions' 28 labels, Ekman's six and neutral, the four groups of
 * sentiment. Outputs that mean the same in two tasks are one output (joy is positive, surprise is
 * ambiguous, disgust, neutral). The order of outputs is part of the model file's format.
 */
#ifndef ANALYZE_LABELS_H
#define ANALYZE_LABELS_H

#include <stdint.h>

#define LABELS 28	/* outputs 0..27 are the labels, in the order of emotions.txt */
#define OUTPUTS 34
#define LABEL_NEUTRAL 27

enum task { TASK_LABEL, TASK_EKMAN, TASK_GROUP, TASKS };

struct task_class { const char *name; uint8_t output; };

struct task_def {
	const char *name;
	const struct task_class *v;
	unsigned n;
};

extern const struct task_def tasks[TASKS];

/*
 * The outputs (bit per output) that are true where the labels are; neutral and disgust stand for
 * themselves.
 */
uint64_t labels_outputs(uint32_t label_bits);

#endif
