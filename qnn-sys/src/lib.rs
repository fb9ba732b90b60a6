//! Raw declarations of the Qualcomm QNN C interface and its run-time loading.
