/* What a struct forward is made of; shared by forward.c (encoding, evaluation) and forward_train.c
 * (training). */
#ifndef MODEL_FORWARD_PARTS_H
#define MODEL_FORWARD_PARTS_H

#include "model/forward.h"
#include "model/head.h"

#include <stdatomic.h>

/* What the encoders of a part return for windows from .. from + count - 1 of a group, which have
 * the same number of tokens; on its tape. */
struct encoded {
	int from, count;
	struct node **summary, **token; /* [regions of the part] of [windows][H]; token[] may be NULL */
	struct node **local; /* likewise [windows * n][H], where the head reads tokens, else NULL */
};

struct chunk {
	struct tape *tape;
	int part, shard;
	struct balance *balance;         /* [regions of the part][layers] of the MoE layers */
	struct ordered_sum *ordered_sum; /* likewise */
	int from, count;                 /* windows from .. from + count - 1 of the group */
	int encodings;
	struct encoded *out; /* [encodings] */
	atomic_bool done;    /* has gone backward */
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
	int shards, windows; /* of one part; of one chunk */
	real *shard;         /* gradients of all shards */
	size_t shard_room;
	size_t *place; /* [params.n] where a tensor's gradient lies in its part's shards, or IN_ORDER */
	bool ordered;  /* some are IN_ORDER */
	size_t *count; /* [parts] numbers of a shard, without the global token */
	real *summary, *token; /* [K][B][H] what the encoders return */
	real *linear_prior;    /* [K][B][classes], where regions give it */
	size_t out_room, prior_room;
	/* where the head reads tokens, else NULL: */
	int **first_row;  /* [K][B+1] rows first_row[k][b] .. first_row[k][b+1]-1 are window b's */
	size_t *local_at; /* [K] the region's first row in local */
	real *local;      /* [K][first_row[k][B]][H] */
	size_t local_room;
	real *target; /* [windows of the call][targets], of a head that has targets of its own */
	/* this call; training does it group by group */
	int first, B; /* windows first .. first + B - 1 */
	const struct window_source *source;
	const struct train_step *step;
	real *gradient;
	const struct joint_leaves *leaves; /* what the joint half says of the encoders' outputs */
	/* MoE layers, NULL without: */
	struct balance *balance;     /* [K][layers] of the batch */
	struct balance_slope *slope; /* [K][layers] */
	int *scope, scopes;          /* [B] of the balance losses, of each window; NULL: one for all */
	double aux, z;               /* sums over regions and layers */
	double gate_aux;             /* the gate's balance loss of the batch */
	double own;                  /* sum of the regions' own cross-entropies of the batch */
	struct besides besides;
};

int forward_layers_of_part(const struct forward *);
int forward_part_tokens(const struct forward *); /* of a window, in the part that has most; global ones too */
void forward_room_for_outputs(struct forward *, int B); /* summary, token for B windows */
void forward_count_tokens(struct forward *); /* first_row, and room for local, of the group at hand */
/* How many windows from .. from+most-1 have as many tokens, in the regions of a part, as the first
 * of them and can be encoded together. */
int forward_alike(const struct forward *, int part, int from, int most);
const int *forward_condition(const struct forward *, int from); /* of windows from .. of the group */
/* Windows from .. from+count-1 of a part, which are alike, through its encoders, on this tape; what
 * they return also goes to f->summary, f->token, f->local. */
struct encoded forward_encode(
	struct forward *, struct tape *, int part, int from, int count, const struct gradient_view *);
/* Nodes on the joint tape over f->summary, f->token and f->local for windows from .. from+count-1,
 * with gradients when it has them. */
struct joint_leaves {
	struct node **summary, **token, **local; /* [K]; local NULL unless the head reads tokens */
	struct head_input in;                    /* of the same nodes */
};
struct joint_leaves forward_outputs(struct forward *, int from, int count);
/* Likewise over f->linear_prior, [K]; NULL without. */
struct node **forward_prior_nodes(struct forward *, int from, int count);

#endif
