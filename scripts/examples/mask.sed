# Each message once more, with every digit of its text hidden. Mode line: one line out for each line in; -u keeps sed from
# holding lines back, and a line it has nothing to say about becomes an empty one.
#   stage -i ipc://run/to-mask -o ipc://run/in -a line -s mask -- sed -u -f scripts/examples/mask.sed
/"type":"chat.message"/!s/.*//
s/"type":"chat.message"/"type":"x.masked"/
# It is a new event: stage gives it an id of its own.
s/"id":"[^"]*",//
# The text on a line of its own; a quote with a backslash does not end it.
s/"text":"\(\(\\.\|[^"\\]\)*\)/"text":"\n\1\n/
/\n/!b
h
s/.*\n\(.*\)\n.*/\1/
# A digit behind all that is none or, as in \u00e9, names a sign; the 0 at the end is ours.
s/$/0/
s/\(\(\\u....\|\\[^u]\|[^\\0-9]\)*\)[0-9]/\1#/g
s/#$//
G
s/\(.*\)\n\(.*\)\n.*\n\(.*\)/\2\1\3/
