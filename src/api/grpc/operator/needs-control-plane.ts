export { needsControlPlane } from '../../needs-control-plane.ts';
