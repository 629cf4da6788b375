#include "supervise/control.h"

static const char letters[SV_EVENTS] = {
	[SV_UP] = 'u', [SV_STOP] = 'd', [SV_ONCE] = 'o', [SV_EXIT] = 'x',
	[SV_TERM] = 't', [SV_KILL] = 'k', [SV_PAUSE] = 'p', [SV_CONT] = 'c',
	[SV_ALRM] = 'a', [SV_HUP] = 'h', [SV_INT] = 'i', [SV_QUIT] = 'q', [SV_USR1] = '1', [SV_USR2] = '2',
	[SV_ABRT] = 'b', [SV_WINCH] = 'y', [SV_AGAIN] = 'r', [SV_AT_MOST] = 'O',
};

int control_event(unsigned char letter)
{
	if (letter == 0)
		return -1;
	for (int ev = 0; ev < SV_EVENTS; ev++)
		if ((unsigned char)letters[ev] == letter)
			return ev;
	return -1;
}

char control_letter(enum sv_event ev)
{
	return (unsigned)ev < SV_EVENTS ? letters[ev] : 0;
}
