# reading a line in memory, each way, beside memchr and jansson
say "reading a line"
echo "reading a line, one core, in memory; memchr is the limit, jansson the library for comparison"
"$tools/scan" < corpus
