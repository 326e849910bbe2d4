// Merging of object-valued props, such as `style`, in place of a library that merges anything
// (clinic_chat/ui/build/vite_config.py). They are flat.

export const mergician = (...objects) => Object.assign({}, ...objects);
