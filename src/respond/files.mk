# main.o      options, one line, reload
# tenants.o   the directory of replies files; who answers for a tenant
# replies.o   a replies file: lines, settings, what triggers say
# trigger.o   what opens a trigger: command, words, emotion
# template.o  text with places to fill in
# command.o   "!hug NAME" to a name and arguments
# match.o     words in what people say
# emotion.o   what an analysis.emotion says
# scene.o     the values templates see
# answer.o    an event to the lines that answer it
respond_OBJS := main.o tenants.o replies.o trigger.o template.o command.o match.o emotion.o scene.o answer.o
respond_PURE := replies.o trigger.o template.o command.o match.o emotion.o scene.o answer.o
