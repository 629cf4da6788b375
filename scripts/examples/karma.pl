#!/usr/bin/perl
# Notices "ann++" and "ann--". Mode line: one line out for each line in, an empty one when there is nothing to say; $| makes perl say it
# at once.
#   stage -i ipc://run/to-karma -o ipc://run/in -a line -s karma -- scripts/examples/karma.pl
use strict;
use warnings;
use open qw(:std :utf8);
$| = 1;
while (my $line = <STDIN>) {
	$line =~ s/\\(u....|.)/ /g;	# what JSON escapes is no part of a name, and a quote among it ends no text
	if ($line =~ /"type":"chat.message"/ && $line =~ /"text":"([^"]*)"/ && $1 =~ /\b(\w++)(\+\+|--)/) {
		printf qq({"type":"x.karma","data":{"who":"%s","by":%d}}\n), $1, $2 eq '++' ? 1 : -1;
	} else {
		print "\n";
	}
}
