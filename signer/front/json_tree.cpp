// SPDX-License-Identifier: Apache-2.0
#include "json_tree.h"

#include <new>
#include <simdjson.h>
#include <type_traits>

namespace dom = simdjson::dom;

namespace
{

// A parser that has grown for a larger text is not kept.
constexpr size_t KEPT_CAPACITY = 64 * 1024;

// Our values are simdjson's references, as C sees them.
template <typename T> struct json_tree_value as_value(const T &reference)
{
	static_assert(sizeof(T) == sizeof(struct json_tree_value));
	static_assert(std::is_trivially_copyable_v<T>);
	struct json_tree_value v;

	memcpy(&v, &reference, sizeof(v));
	return v;
}

template <typename T> T as(const struct json_tree_value &v)
{
	static_assert(sizeof(T) == sizeof(v));
	static_assert(std::is_trivially_copyable_v<T>);
	T reference;

	memcpy(static_cast<void *>(&reference), &v, sizeof(v));
	return reference;
}

// Of the kind that it is asked as, or nothing: never an exception.
template <typename T> T get(const struct json_tree_value *v)
{
	T out{};

	if (as<dom::element>(*v).get(out) != simdjson::SUCCESS)
		return T{};
	return out;
}

template <typename T> struct json_tree_walk walk_of(const T &list, bool object)
{
	return {as_value(list.begin()), as_value(list.end()), object};
}

enum sg_err error_of(simdjson::error_code e)
{
	switch (e) {
	case simdjson::SUCCESS: return SG_OK;
	case simdjson::MEMALLOC: return SG_NO_MEMORY;
	case simdjson::NUMBER_ERROR:
	case simdjson::NUMBER_OUT_OF_RANGE: return SG_TOO_BIG;
	default: return SG_MALFORMED;
	}
}

} // namespace

struct json_tree {
	size_t depth;
	dom::parser parser;
};

enum sg_err json_tree_create(size_t depth, struct json_tree **out)
{
	*out = new (std::nothrow) json_tree{depth, dom::parser()};
	return *out != nullptr ? SG_OK : SG_NO_MEMORY;
}

void json_tree_free(struct json_tree *t)
{
	delete t;
}

enum sg_err json_tree_read(struct json_tree *t, struct span text,
			   struct json_tree_value *root)
{
	dom::element element;
	simdjson::error_code e = simdjson::SUCCESS;

	if (text.n == 0)
		return SG_MALFORMED;
	if (t->parser.capacity() > KEPT_CAPACITY)
		t->parser = dom::parser();
	if (t->parser.capacity() < text.n || t->parser.capacity() == 0)
		e = t->parser.allocate(text.n, t->depth);
	if (e == simdjson::SUCCESS)
		e = t->parser
			    .parse(reinterpret_cast<const char *>(text.p),
				   text.n, true)
			    .get(element);
	if (e == simdjson::SUCCESS)
		*root = as_value(element);
	return error_of(e);
}

enum json_tree_kind json_tree_kind(const struct json_tree_value *v)
{
	const dom::element e = as<dom::element>(*v);

	switch (e.type()) {
	case dom::element_type::OBJECT: return JSON_TREE_OBJECT;
	case dom::element_type::ARRAY: return JSON_TREE_ARRAY;
	case dom::element_type::STRING: return JSON_TREE_TEXT;
	case dom::element_type::INT64: return JSON_TREE_INT;
	case dom::element_type::UINT64:
	case dom::element_type::DOUBLE: return JSON_TREE_REAL;
	case dom::element_type::BOOL:
		return get<bool>(v) ? JSON_TREE_TRUE : JSON_TREE_FALSE;
	default: return JSON_TREE_NULL;
	}
}

struct span json_tree_text(const struct json_tree_value *v)
{
	const std::string_view s = get<std::string_view>(v);

	return span_of(s.data(), s.size());
}

int64_t json_tree_int(const struct json_tree_value *v)
{
	return get<int64_t>(v);
}

double json_tree_real(const struct json_tree_value *v)
{
	return get<double>(v);
}

struct json_tree_walk json_tree_begin(const struct json_tree_value *v)
{
	if (as<dom::element>(*v).is_object())
		return walk_of(get<dom::object>(v), true);
	return walk_of(get<dom::array>(v), false);
}

bool json_tree_next(struct json_tree_walk *w, struct span *name,
		    struct json_tree_value *value)
{
	if (w->next.at == w->end.at)
		return false;
	if (w->object) {
		auto it = as<dom::object::iterator>(w->next);
		const auto member = *it;

		*name = span_of(member.key.data(), member.key.size());
		*value = as_value(member.value);
		w->next = as_value(++it);
	} else {
		auto it = as<dom::array::iterator>(w->next);

		*value = as_value(*it);
		w->next = as_value(++it);
	}
	return true;
}
