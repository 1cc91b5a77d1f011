#include "train/optimizer.h"

double optimizer_rate(const struct config *c, const struct param *p, double lr)
{
	switch (p->role) {
	case PARAM_ROUTER:
		return lr * c->train.router_lr;
	case PARAM_EXPERT:
		return lr * c->train.expert_lr;
	default:
		return lr;
	}
}
