/* SPDX-License-Identifier: Apache-2.0 */
#include "findings.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tools/common/printable.h"

enum { WARNINGS_MAX = FINDINGS_MAX / 10 };

struct findings {
	pthread_mutex_t lock; /* of all below */
	_Atomic uint64_t errors;
	uint64_t more; /* than are kept */
	size_t warnings;
	size_t n;
	struct finding list[FINDINGS_MAX];
};

static const struct {
	const char *code;
	const char *about;
} ABOUT[] = {
#define X(id, code, about) [FINDING_##id] = {code, about},
	FINDING_MAP(X)
#undef X
};

const char *findings_code(enum finding_id id)
{
	return id < FINDING_COUNT ? ABOUT[id].code : "none";
}

enum sg_err findings_create(struct findings **out)
{
	struct findings *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return SG_NO_MEMORY;
	if (pthread_mutex_init(&f->lock, NULL) != 0) {
		free(f);
		return SG_NO_MEMORY;
	}
	*out = f;
	return SG_OK;
}

void findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool is_warning(enum finding_id id)
{
	return id == FINDING_TIME_BACK || id == FINDING_VKEY_CHANGES ||
	       id == FINDING_UNWITNESSED;
}

void findings_add(struct findings *f, enum finding_id id,
		  const struct finding_place *place, const char *fmt, ...)
{
	struct finding *new;
	va_list ap;

	if (!is_warning(id))
		atomic_fetch_add(&f->errors, 1);
	(void)pthread_mutex_lock(&f->lock);
	/* Warnings leave room for errors. */
	if (f->n == FINDINGS_MAX ||
	    (is_warning(id) && f->warnings == WARNINGS_MAX)) {
		f->more++;
	} else {
		new = &f->list[f->n++];
		*new = (struct finding){.id = id};
		f->warnings += is_warning(id) ? 1 : 0;
		if (place != NULL)
			new->place = *place;
		va_start(ap, fmt);
		(void)vsnprintf(new->detail, sizeof(new->detail), fmt, ap);
		va_end(ap);
	}
	(void)pthread_mutex_unlock(&f->lock);
}

struct finding_place findings_entry(uint64_t entry)
{
	return (struct finding_place){.kind = FINDING_ENTRY, .entry = entry};
}

struct finding_place findings_tile(const struct tile *t)
{
	const unsigned shift = t->level == TILE_ENTRIES
				       ? TILE_HEIGHT
				       : TILE_HEIGHT * ((unsigned)t->level + 1);

	return (struct finding_place){
		.kind = FINDING_TILE,
		.entry = shift < 64 ? t->n << shift : 0,
		.tile = *t,
	};
}

uint64_t findings_errors(const struct findings *f)
{
	return atomic_load(&f->errors);
}

bool findings_full(const struct findings *f)
{
	return findings_errors(f) >= FINDINGS_MAX;
}

size_t findings_n(const struct findings *f)
{
	return f->n;
}

const struct finding *findings_at(const struct findings *f, size_t i)
{
	return &f->list[i];
}

bool findings_has(const struct findings *f, enum finding_id id)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].id == id)
			return true;
	return false;
}

static int compare(const void *pa, const void *pb)
{
	const struct finding *a = pa;
	const struct finding *b = pb;

	if (a->place.kind == FINDING_LOG || b->place.kind == FINDING_LOG)
		return (a->place.kind != FINDING_LOG) -
		       (b->place.kind != FINDING_LOG);
	if (a->place.entry != b->place.entry)
		return a->place.entry < b->place.entry ? -1 : 1;
	return (int)a->id - (int)b->id;
}

void findings_sort(struct findings *f)
{
	qsort(f->list, f->n, sizeof(f->list[0]), compare);
}

/* "entry 17", "tile/0/x001/067", or "". */
static void say_place(const struct finding_place *p, char out[TILE_PATH_MAX])
{
	out[0] = '\0';
	if (p->kind == FINDING_ENTRY)
		(void)snprintf(out, TILE_PATH_MAX, "entry %" PRIu64, p->entry);
	else if (p->kind == FINDING_TILE)
		tile_path(&p->tile, out);
}

void findings_print(const struct findings *f, FILE *to)
{
	char place[TILE_PATH_MAX];

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->list[i];

		say_place(&x->place, place);
		(void)fprintf(to, "%s %s%s%s: %s%s",
			      is_warning(x->id) ? "warning" : "WRONG  ",
			      ABOUT[x->id].code, place[0] != '\0' ? " " : "",
			      place, ABOUT[x->id].about,
			      x->detail[0] != '\0' ? "; " : "");
		printable_put(to, span_str(x->detail));
		(void)fputc('\n', to);
	}
	if (f->more > 0)
		(void)fprintf(to, "and %" PRIu64 " more\n", f->more);
}

static json_t *one_json(const struct finding *x)
{
	char place[TILE_PATH_MAX];
	json_t *o = json_pack("{s:s}", "code", ABOUT[x->id].code);
	int bad = o == NULL;

	if (x->place.kind == FINDING_ENTRY) {
		bad |= json_object_set_new(
			o, "entry", json_integer((json_int_t)x->place.entry));
	} else if (x->place.kind == FINDING_TILE) {
		say_place(&x->place, place);
		bad |= json_object_set_new(o, "tile", json_string(place));
	}
	bad |= json_object_set_new(o, "meaning",
				   json_string(ABOUT[x->id].about));
	/* A name in it that was cut amid a character is no JSON. */
	if (x->detail[0] != '\0')
		(void)json_object_set_new(o, "detail", json_string(x->detail));
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

json_t *findings_json(const struct findings *f, bool warnings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++) {
		if (is_warning(f->list[i].id) != warnings)
			continue;
		if (json_array_append_new(list, one_json(&f->list[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
