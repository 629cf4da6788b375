# Each message once more, with every digit of its text hidden. Mode line: one line out for each line in; -u keeps sed from
# holding lines back, and a line it has nothing to say about becomes an empty one.
#   stage -i ipc://run/to-mask -o ipc://run/in -a line -s mask -- sed -u -f scripts/examples/mask.sed
/"type":"chat.message"/!s/.*//
s/"type":"chat.message"/"type":"x.masked"/
# It is a new event: stage gives it an id of its own.
s/"id":"[^"]*",//
:more
s/\("text":"[^"]*\)[0-9]/\1#/
t more
