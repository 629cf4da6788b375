/*
 * life: the life of one connection to a platform, state x event. Pure: conn.c tells what happened and carries out what is answered.
 *
 *   idle --want--> lease --leased--> dialing --go--> opening --opened--> greeting --live--> live
 *                                       |  --budget--> budget --go--> opening
 *   anything behind the lease --lost--> wait --time--> dialing;  --stop--> stopped --want--> dialing
 *   anything behind the lease --drain--> draining --drained--> handed (the lease is another's) --want--> handed
 *   anything --close--> idle
 *
 * The lease is held from `leased` until `drained` or `close`. To whoever has it next the platform says what it leaves, in every state.
 */
#ifndef GATEWAYD_LIFE_H
#define GATEWAYD_LIFE_H

enum life_state {
	LIFE_IDLE,
	LIFE_LEASE,	/* another process holds the connection */
	LIFE_DIALING,	/* its turn comes, and the platform is asked where to dial */
	LIFE_BUDGET,	/* an identify is waited for */
	LIFE_OPENING,
	LIFE_GREETING,
	LIFE_LIVE,
	LIFE_WAIT,	/* backing off */
	LIFE_STOPPED,	/* a person has to change something */
	LIFE_DRAINING,	/* what came is being acknowledged, before the session is saved */
	LIFE_HANDED,	/* given to another process */
	LIFE_STATES
};

enum life_event {
	LIFE_ON_WANT, LIFE_ON_LEASED, LIFE_ON_BUDGET, LIFE_ON_GO, LIFE_ON_OPENED, LIFE_ON_LIVE, LIFE_ON_LOST, LIFE_ON_STOP, LIFE_ON_TIME,
	LIFE_ON_DRAIN, LIFE_ON_DRAINED, LIFE_ON_CLOSE,
	LIFE_EVENTS
};

enum life_act {
	LIFE_BAD,	/* cannot happen here: nothing changes */
	LIFE_NONE,
	LIFE_DO_LEASE,	/* ask for the lease; LEASED when it is ours */
	LIFE_DO_DIAL,	/* ask the platform; GO, BUDGET or LOST, or TIME to ask it then */
	LIFE_DO_BUDGET,	/* wait for the budget; GO, or TIME to look again */
	LIFE_DO_OPEN,	/* open the socket; its limit of time runs */
	LIFE_DO_GREET,	/* the next limit of time runs */
	LIFE_DO_UP,	/* tell that it is up */
	LIFE_DO_FAIL,	/* it was not up: back off */
	LIFE_DO_DOWN,	/* it was up: tell, and back off */
	LIFE_DO_PARK,	/* it was not up: wait for a person */
	LIFE_DO_PARK_DOWN,	/* it was up */
	LIFE_DO_DRAIN,	/* stop reading, wait for the hub; DRAINED behind platform->drain */
	LIFE_DO_LEAVE,	/* the same where nothing is to be read: drop sockets and timers first */
	LIFE_DO_RELEASE,	/* give the lease away */
	LIFE_DO_CLOSE,	/* drop sockets, timers, lease */
};

struct life_step { enum life_state to; enum life_act act; };

struct life_step life_step(enum life_state s, enum life_event e);
const char *life_state_name(enum life_state s);	/* "live" */
const char *life_event_name(enum life_event e);

#endif
