// A self-signed certificate for localhost and 127.0.0.1, made for the test that needs it.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <string>

#include "tests/support/temporary_directory.h"

namespace fathom::test {

class Certificate {
 public:
  Certificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                               -1, -1, 0);
    X509_set_issuer_name(x, name);
    extend(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    extend(x, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(x, key, EVP_sha256());
    write(certificate(), [x](std::FILE* file) { PEM_write_X509(file, x); });
    write(this->key(),
          [key](std::FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(x);
    EVP_PKEY_free(key);
  }
  std::string certificate() const { return directory_ / "cert.pem"; }
  std::string key() const { return directory_ / "key.pem"; }
  std::string file(const std::string& name) const { return directory_ / name; }

 private:
  static void extend(X509* x, int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class Write>
  static void write(const std::string& path, Write write_to) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    write_to(file);
    std::fclose(file);
  }
  TemporaryDirectory directory_;
};

}  // namespace fathom::test
