import { memoryStore } from '../fakes/memory-store.ts';
import { storeContract } from './store.ts';

storeContract('memory fake', async () => memoryStore());
