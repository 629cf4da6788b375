#!/usr/bin/perl
# Notices "ann++" and "ann--". Mode line: one line out for each line in, an empty one when there is nothing to say; $| makes perl say it
# at once.
#   stage -i ipc://run/to-karma -o ipc://run/in -a line -s karma -- scripts/examples/karma.pl
use strict;
use warnings;
$| = 1;
while (<STDIN>) {
	if (/"type":"chat.message"/ && /"text":"[^"]*?(\w+)(\+\+|--)/) {
		printf qq({"type":"x.karma","data":{"who":"%s","by":%d}}\n), $1, $2 eq '++' ? 1 : -1;
	} else {
		print "\n";
	}
}
