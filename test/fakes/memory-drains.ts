import type { DrainOrder, DrainStore } from '../../src/domain/ports/index.ts';

export function memoryDrains(): DrainStore {
  const orders: DrainOrder[] = [];
  return {
    list: async () => [...orders],
    async add(cause, at) {
      const known = orders.find((order) => order.cause === cause);
      if (known) return known;
      const order = { generation: orders.length + 1, cause, at };
      orders.push(order);
      return order;
    },
  };
}
