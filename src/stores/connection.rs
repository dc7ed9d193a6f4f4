//! Clients of the stores, from variables.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ClientOptions, RetryConfig};

use super::Client;
use super::address::{Scheme, StoreUrl};
use super::failure::reason;

/// Time for one request: a part of an upload, or a whole object, on a slow line.
const TIMEOUT: Duration = Duration::from_secs(300);

type Variables = [(String, String)];

/// A client for the bucket of an address; the error is one clause.
pub(super) fn connect(url: &StoreUrl, variables: &Variables) -> Result<Arc<dyn Client>, String> {
    let failed = |error: object_store::Error| reason(&error);
    let bucket = url.bucket();
    // What the variables say comes last, and wins.
    Ok(match url.scheme {
        Scheme::S3 => {
            let builder = AmazonS3Builder::new().with_client_options(options()).with_retry(retries());
            let builder = each(variables, "AWS_", builder, |builder, key, value| builder.with_config(key, value));
            Arc::new(builder.with_bucket_name(bucket).build().map_err(failed)?)
        }
        Scheme::Google => {
            let builder = GoogleCloudStorageBuilder::new().with_client_options(options()).with_retry(retries());
            let builder = each(variables, "GOOGLE_", builder, |builder, key, value| builder.with_config(key, value));
            Arc::new(builder.with_bucket_name(bucket).build().map_err(failed)?)
        }
        Scheme::Azure => {
            let builder = MicrosoftAzureBuilder::new().with_client_options(options()).with_retry(retries());
            let builder = each(variables, "AZURE_", builder, |builder, key, value| builder.with_config(key, value));
            Arc::new(builder.with_container_name(bucket).build().map_err(failed)?)
        }
        Scheme::Oss => Arc::new(oss(bucket, variables)?.build().map_err(failed)?),
    })
}

/// Sets what the variables with this prefix say, as `from_env` of each builder does for the environment.
fn each<B, K: std::str::FromStr>(variables: &Variables, prefix: &str, builder: B, set: impl Fn(B, K, &str) -> B) -> B {
    let known = variables.iter().filter(|(name, _)| name.starts_with(prefix));
    known.fold(builder, |builder, (name, value)| match name.to_ascii_lowercase().parse() {
        Ok(key) => set(builder, key, value),
        Err(_) => builder,
    })
}

/// OSS speaks the protocol of S3, with the bucket in the host name.
fn oss(bucket: &str, variables: &Variables) -> Result<AmazonS3Builder, String> {
    let value = |names: [&str; 2]| {
        let find = |name: &str| variables.iter().find(|(known, value)| known == name && !value.is_empty());
        names.into_iter().find_map(find).map(|(_, value)| value.as_str())
    };
    let region = value(["OSS_REGION", "ALIBABA_CLOUD_REGION_ID"]).map(|region| region.trim_start_matches("oss-"));
    let endpoint = match (value(["OSS_ENDPOINT", ""]), region) {
        (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
        (None, Some(region)) => format!("oss-{region}.aliyuncs.com"),
        (None, None) => return Err("OSS_REGION or OSS_ENDPOINT is not set".to_owned()),
    };
    let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", &endpoint));
    let host_of = || region_in(host).unwrap_or("cn-hangzhou");
    let mut builder = AmazonS3Builder::new()
        .with_client_options(options().with_allow_http(scheme == "http"))
        .with_retry(retries())
        .with_bucket_name(bucket)
        .with_region(region.unwrap_or_else(host_of));
    // An address of digits has no host names below it.
    let is_digits = host.rsplit_once(':').map_or(host, |(host, _)| host).parse::<IpAddr>().is_ok();
    builder = if is_digits {
        builder.with_endpoint(format!("{scheme}://{host}"))
    } else {
        builder.with_endpoint(format!("{scheme}://{bucket}.{host}")).with_virtual_hosted_style_request(true)
    };
    for (key, names) in [
        (AmazonS3ConfigKey::AccessKeyId, ["OSS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"]),
        (AmazonS3ConfigKey::SecretAccessKey, ["OSS_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"]),
        (AmazonS3ConfigKey::Token, ["OSS_SESSION_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN"]),
    ] {
        match value(names) {
            Some(value) => builder = builder.with_config(key, value),
            // The client would ask the metadata service of another cloud.
            None if key != AmazonS3ConfigKey::Token => return Err(format!("{} is not set", names[0])),
            None => {}
        }
    }
    Ok(builder)
}

/// `cn-beijing` of `oss-cn-beijing-internal.aliyuncs.com`.
fn region_in(host: &str) -> Option<&str> {
    let region = host.split('.').find_map(|part| part.strip_prefix("oss-"))?;
    Some(region.trim_end_matches("-internal"))
}

fn options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout(TIMEOUT)
        .with_connect_timeout(Duration::from_secs(10))
        // A page that is opened from the store is shown, not downloaded.
        .with_content_type_for_suffix("html", "text/html; charset=utf-8")
        .with_content_type_for_suffix("json", "application/json")
        .with_content_type_for_suffix("csv", "text/csv; charset=utf-8")
}

/// Of what failed at the server or on the way: some ten seconds in all.
fn retries() -> RetryConfig {
    RetryConfig { max_retries: 5, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder(variables: &[(&str, &str)]) -> Result<AmazonS3Builder, String> {
        let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        oss("calls", &variables)
    }

    #[test]
    fn oss_has_the_bucket_in_its_host_name() {
        let keys = [("OSS_ACCESS_KEY_ID", "id"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret")];
        for (variable, value, endpoint, region) in [
            ("OSS_REGION", "cn-beijing", "https://calls.oss-cn-beijing.aliyuncs.com", "cn-beijing"),
            ("OSS_REGION", "oss-cn-beijing", "https://calls.oss-cn-beijing.aliyuncs.com", "cn-beijing"),
            (
                "OSS_ENDPOINT",
                "oss-ap-southeast-1-internal.aliyuncs.com",
                "https://calls.oss-ap-southeast-1-internal.aliyuncs.com",
                "ap-southeast-1",
            ),
            ("OSS_ENDPOINT", "http://127.0.0.1:9000/", "http://127.0.0.1:9000", "cn-hangzhou"),
        ] {
            let built = builder(&[&keys[..], &[(variable, value)]].concat()).unwrap();
            let set = |key| built.get_config_value(&key);
            assert_eq!(set(AmazonS3ConfigKey::Endpoint).as_deref(), Some(endpoint));
            assert_eq!(set(AmazonS3ConfigKey::Region).as_deref(), Some(region));
        }
        assert!(builder(&keys).unwrap_err().contains("OSS_REGION"));
        assert!(builder(&[("OSS_REGION", "cn-beijing")]).unwrap_err().contains("OSS_ACCESS_KEY_ID"));
    }
}
