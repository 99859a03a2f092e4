// Vectors that share what is equal. The programs of thousands of ranks are alike for long stretches, and as vectors
// would take tens of gigabytes.
#pragma once

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <mutex>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/hash.hpp"

namespace cpbench {

template <typename T>
class PagePool;

/// A vector in pages. Copies share their pages, and a page is copied when one of its owners may change it: by any
/// access that is not const. References and iterators stay valid until then, or until elements come or go.
template <typename T>
class PagedVector {
  static constexpr std::size_t kPageSize = 64;
  using Page = std::shared_ptr<T[]>;

 public:
  template <bool kConst>
  class Iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = std::conditional_t<kConst, const T&, T&>;
    using pointer = std::conditional_t<kConst, const T*, T*>;

    Iterator() = default;
    template <bool kOther>
    requires(kConst && !kOther) Iterator(const Iterator<kOther>& other) : pages_(other.pages_), index_(other.index_) {}
    reference operator*() const { return (*this)[0]; }
    pointer operator->() const { return &**this; }
    reference operator[](difference_type n) const { return element(pages_, index_ + static_cast<std::size_t>(n)); }
    Iterator& operator+=(difference_type n) { return index_ += static_cast<std::size_t>(n), *this; }
    Iterator& operator-=(difference_type n) { return *this += -n; }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    friend Iterator operator+(Iterator it, difference_type n) { return it += n; }
    friend Iterator operator+(difference_type n, Iterator it) { return it += n; }
    friend Iterator operator-(Iterator it, difference_type n) { return it -= n; }
    friend difference_type operator-(const Iterator& a, const Iterator& b) {
      return static_cast<difference_type>(a.index_) - static_cast<difference_type>(b.index_);
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }
    friend auto operator<=>(const Iterator& a, const Iterator& b) { return a.index_ <=> b.index_; }

   private:
    friend class PagedVector;
    template <bool>
    friend class Iterator;
    using Pages = std::conditional_t<kConst, const Page*, Page*>;
    Iterator(Pages pages, std::size_t index) : pages_(pages), index_(index) {}

    Pages pages_ = nullptr;
    std::size_t index_ = 0;
  };
  using iterator = Iterator<false>;
  using const_iterator = Iterator<true>;
  using value_type = T;

  PagedVector() = default;
  PagedVector(std::initializer_list<T> items) { insert(end(), items.begin(), items.end()); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  iterator begin() { return {pages_.data(), 0}; }
  iterator end() { return {pages_.data(), size_}; }
  const_iterator begin() const { return {pages_.data(), 0}; }
  const_iterator end() const { return {pages_.data(), size_}; }
  T& operator[](std::size_t i) { return element(pages_.data(), i); }
  const T& operator[](std::size_t i) const { return element(pages_.data(), i); }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(const T& value) {
    const T copy = value;  // it may be an element of this vector
    if (size_ == pages_.size() * kPageSize) pages_.push_back(std::make_shared<T[]>(kPageSize));
    ++size_;
    back() = copy;
  }
  template <typename InputIterator>
  iterator insert(const_iterator position, InputIterator first, InputIterator last) {
    const std::ptrdiff_t index = position - std::as_const(*this).begin();
    const auto old_size = static_cast<std::ptrdiff_t>(size_);
    for (; first != last; ++first) push_back(*first);
    std::rotate(begin() + index, begin() + old_size, end());
    return begin() + index;
  }
  iterator insert(const_iterator position, const T& value) { return insert(position, &value, &value + 1); }
  iterator erase(const_iterator first, const_iterator last) {
    const std::ptrdiff_t index = first - std::as_const(*this).begin(), count = last - first;
    std::move(begin() + index + count, end(), begin() + index);
    size_ -= static_cast<std::size_t>(count);
    pages_.resize((size_ + kPageSize - 1) / kPageSize);
    return begin() + index;
  }
  iterator erase(const_iterator position) { return erase(position, position + 1); }
  void clear() { *this = {}; }

  friend bool operator==(const PagedVector& a, const PagedVector& b) { return std::ranges::equal(a, b); }

 private:
  friend class PagePool<T>;

  static const T& element(const Page* pages, std::size_t i) {
    return pages[i / kPageSize][static_cast<std::ptrdiff_t>(i % kPageSize)];
  }
  static T& element(Page* pages, std::size_t i) {
    Page& page = pages[i / kPageSize];
    if (page.use_count() > 1) {
      Page own = std::make_shared<T[]>(kPageSize);
      std::copy_n(page.get(), kPageSize, own.get());
      page = std::move(own);
    } else {
      std::atomic_thread_fence(std::memory_order_acquire);  // whoever gave the page up has done so after reading it
    }
    return page[static_cast<std::ptrdiff_t>(i % kPageSize)];
  }

  std::vector<Page> pages_;
  std::size_t size_ = 0;
};

template <typename T, typename Predicate>
std::size_t erase_if(PagedVector<T>& items, Predicate predicate) {
  const auto kept_end = std::remove_if(items.begin(), items.end(), predicate);
  const auto count = static_cast<std::size_t>(items.end() - kept_end);
  items.erase(kept_end, items.end());
  return count;
}

/// Lets vectors share equal pages. Threads may call it at the same time, for different vectors. T has operator== and a
/// function hash_of(const T&).
template <typename T>
class PagePool {
 public:
  /// Returns how many bytes the vector takes, but for pages that others had before.
  std::size_t share(PagedVector<T>& items) {
    std::size_t bytes = items.pages_.capacity() * sizeof(Page);
    for (std::size_t p = 0; p < items.pages_.size(); ++p) {
      const std::size_t count = std::min(kPageSize, items.size_ - p * kPageSize);
      bytes += share(items.pages_[p], count);
    }
    return bytes;
  }

 private:
  static constexpr std::size_t kPageSize = PagedVector<T>::kPageSize;
  using Page = typename PagedVector<T>::Page;
  struct Known {
    Page page;
    std::size_t count;
  };

  std::size_t share(Page& page, std::size_t count) {
    const std::size_t hash = hash_of_list(std::span(page.get(), count));
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      const Known& known = it->second;
      if (known.count != count || !std::equal(page.get(), page.get() + count, known.page.get())) continue;
      page = known.page;
      return 0;
    }
    known_.emplace(hash, Known{page, count});
    return kPageSize * sizeof(T);
  }

  std::mutex mutex_;
  std::unordered_multimap<std::size_t, Known> known_;
};

}  // namespace cpbench
