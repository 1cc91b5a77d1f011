/* What a struct forward is made of; shared by forward.c (encoding, evaluation) and forward_train.c (training). */
#ifndef MODEL_FORWARD_PARTS_H
#define MODEL_FORWARD_PARTS_H

#include "model/encoder.h"
#include "model/forward.h"

#include <stdatomic.h>

/* What the encoders of a part return; on its tape. */
struct encoded {
	struct node **summary, **token; /* [regions of the part] of [windows][H]; token[] may be NULL */
};

struct chunk {
	struct tape *tape;
	int part, lane;
	struct balance *balance; /* [regions of the part][layers] of the mixtures */
	struct turn *turn;       /* likewise */
	int from, count;         /* windows from .. from + count - 1 of the group */
	struct encoded out;
	atomic_bool done; /* has gone backward */
};

struct forward {
	const struct model *m;
	struct pool *pool;
	struct arena **gradients;    /* [threads] of the chunk that goes backward */
	struct workspace *workspace; /* [threads] */
	struct tape **evaluating;    /* [threads] without gradients */
	struct tape *joint;          /* gate and classifier, on the calling thread */
	int parts, together;         /* of the model; regions of a part: parts * together = K */
	struct chunk *chunk;         /* [parts * chunks of a part], training */
	int chunks;                  /* of one part, of this group */
	int room;
	int lanes, windows; /* of one part; of one chunk */
	real *lane;         /* gradients of all lanes */
	size_t lane_room;
	size_t *place;         /* [params.n] where a tensor's gradient lies in its part's lanes, or IN_TURN */
	bool turns;            /* some are IN_TURN */
	size_t *count;         /* [parts] numbers of a lane, without the global token */
	real *summary, *token; /* [K][B][H] what the encoders return */
	size_t out_room;
	/* this call; training does it group by group */
	int first, B; /* windows first .. first + B - 1 */
	window_fill fill;
	void *context;
	const struct train_step *step;
	real *gradient;
	struct node **d_summary, **d_token; /* [K] what the joint half says of the encoders' outputs */
	/* mixtures, NULL without: */
	struct balance *balance;     /* [K][layers] of the batch */
	struct balance_slope *slope; /* [K][layers] */
	double aux, z;               /* sums over regions and layers */
	double gate_aux;             /* the gate's balance loss of the batch */
	struct besides besides;
};

int forward_layers_of_part(const struct forward *);
void forward_room_for_outputs(struct forward *, int B); /* summary, token for B windows */
/* Windows from .. from+count-1 of a part through its encoders, on this tape; what they return also goes to f->summary, f->token. */
struct encoded forward_encode(
	struct forward *, struct tape *, int part, int from, int count, const struct gradient_view *);
/* Nodes on the joint tape over f->summary and f->token for windows from .. from+count-1, with gradients when it has them. */
void forward_outputs(struct forward *, int from, int count, struct node **summary, struct node **token);

#endif
